//! What the server says of itself, before it is asked anything else.

use arrow_flight::sql::metadata::{SqlInfoData, SqlInfoDataBuilder};
use arrow_flight::sql::{
    SqlInfo, SqlNullOrdering as Nulls, SqlOuterJoinsSupportLevel as Joins,
    SqlSupportedCaseSensitivity as Case, SqlSupportedGroupBy as Groups,
    SqlSupportedSubqueries as Within, SqlSupportedTransaction as Transactions,
    SqlSupportedUnions as Unions, SupportedSqlGrammar as Grammar,
};
use tonic::Status;

use crate::answers::Limits;

use Fact::{Bits, No, Number, Text, Yes};

/// What is said of one thing.
enum Fact {
    Yes,
    No,
    Text(&'static str),
    Number(i64),
    Bits(i32),
}

impl Fact {
    fn tell(&self, name: SqlInfo, facts: &mut SqlInfoDataBuilder) {
        match self {
            Yes => facts.append(name, true),
            No => facts.append(name, false),
            Text(text) => facts.append(name, *text),
            Number(number) => facts.append(name, *number),
            Bits(bits) => facts.append(name, *bits),
        }
    }
}

/// Facts that are the same for every server, in the order of their numbers (`FlightSql.proto`).
static FACTS: &[(SqlInfo, Fact)] = &[
    (SqlInfo::FlightSqlServerName, Text("Floodmark")),
    (SqlInfo::FlightSqlServerVersion, Text(env!("CARGO_PKG_VERSION"))),
    (SqlInfo::FlightSqlServerArrowVersion, Text(arrow::ARROW_VERSION)),
    (SqlInfo::FlightSqlServerReadOnly, Yes),
    (SqlInfo::FlightSqlServerSql, Yes),
    (SqlInfo::FlightSqlServerSubstrait, No),
    (SqlInfo::FlightSqlServerTransaction, Bits(Transactions::None as i32)),
    (SqlInfo::FlightSqlServerCancel, Yes),
    (SqlInfo::FlightSqlServerBulkIngestion, No),
    (SqlInfo::FlightSqlServerIngestTransactionsSupported, No),
    (SqlInfo::FlightSqlServerTransactionTimeout, Bits(0)),
    (SqlInfo::SqlDdlCatalog, No),
    (SqlInfo::SqlDdlSchema, No),
    (SqlInfo::SqlDdlTable, No),
    (SqlInfo::SqlIdentifierCase, Number(Case::SqlCaseSensitivityLowercase as i64)),
    (SqlInfo::SqlIdentifierQuoteChar, Text("\"")),
    (SqlInfo::SqlQuotedIdentifierCase, Number(Case::SqlCaseSensitivityUnknown as i64)),
    (SqlInfo::SqlAllTablesAreSelectable, Yes),
    (SqlInfo::SqlNullOrdering, Number(Nulls::SqlNullsSortedHigh as i64)),
    (SqlInfo::SqlSearchStringEscape, Text("\\")),
    (SqlInfo::SqlExtraNameCharacters, Text("")),
    (SqlInfo::SqlSupportsColumnAliasing, Yes),
    (SqlInfo::SqlNullPlusNullIsNull, Yes),
    (SqlInfo::SqlSupportsTableCorrelationNames, Yes),
    (SqlInfo::SqlSupportsDifferentTableCorrelationNames, No),
    (SqlInfo::SqlSupportsExpressionsInOrderBy, Yes),
    (SqlInfo::SqlSupportsOrderByUnrelated, Yes),
    (
        SqlInfo::SqlSupportedGroupBy,
        bits(&[Groups::SqlGroupByUnrelated as i32, Groups::SqlGroupByBeyondSelect as i32]),
    ),
    (SqlInfo::SqlSupportsLikeEscapeClause, Yes),
    (SqlInfo::SqlSupportsNonNullableColumns, Yes),
    (
        SqlInfo::SqlSupportedGrammar,
        bits(&[Grammar::SqlMinimumGrammar as i32, Grammar::SqlCoreGrammar as i32]),
    ),
    (SqlInfo::SqlOuterJoinsSupportLevel, bits(&[Joins::SqlFullOuterJoins as i32])),
    (SqlInfo::SqlSchemaTerm, Text("schema")),
    (SqlInfo::SqlCatalogTerm, Text("catalog")),
    (SqlInfo::SqlCatalogAtStart, Yes),
    (SqlInfo::SqlSelectForUpdateSupported, No),
    (SqlInfo::SqlStoredProceduresSupported, No),
    (
        SqlInfo::SqlSupportedSubqueries,
        bits(&[
            Within::SqlSubqueriesInComparisons as i32,
            Within::SqlSubqueriesInExists as i32,
            Within::SqlSubqueriesInIns as i32,
        ]),
    ),
    (SqlInfo::SqlCorrelatedSubqueriesSupported, Yes),
    (SqlInfo::SqlSupportedUnions, bits(&[Unions::SqlUnion as i32, Unions::SqlUnionAll as i32])),
    (SqlInfo::SqlBatchUpdatesSupported, No),
    (SqlInfo::SqlSavepointsSupported, No),
    (SqlInfo::SqlNamedParametersSupported, No),
    (SqlInfo::SqlLocatorsUpdateCopy, No),
];

/// A mask with the bits of those numbers.
const fn bits(numbers: &[i32]) -> Fact {
    let (mut mask, mut left) = (0, numbers);
    while let [number, rest @ ..] = left {
        (mask, left) = (mask | 1 << *number, rest);
    }
    Bits(mask)
}

/// All facts, those that are settings included.
pub(super) fn facts(limits: &Limits) -> Result<SqlInfoData, Status> {
    let mut facts = SqlInfoDataBuilder::new();
    for (name, fact) in FACTS {
        fact.tell(*name, &mut facts);
    }
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let milliseconds = i32::try_from(limits.query_time.as_millis()).unwrap_or(i32::MAX);
    facts.append(SqlInfo::FlightSqlServerStatementTimeout, milliseconds);
    facts.append(SqlInfo::SqlMaxConnections, count(limits.connections));
    facts.append(SqlInfo::SqlMaxStatementLength, count(limits.statement_bytes));
    facts.build().map_err(|error| Status::internal(error.to_string()))
}
