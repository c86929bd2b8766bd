//! `ip_prefix`, `ip_source` and `ip_in`: addresses and networks in SQL.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::types::{logical_int64, logical_string};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, exec_err};
use datafusion::logical_expr::{
    Coercion, ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, TypeSignatureClass, Volatility,
};
use ipnet::IpNet;

use super::ip_text;

const SECTION: DocSection =
    DocSection { include: true, label: "Network addresses", description: None };

static PREFIX_DOC: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        SECTION,
        "Network of an address as text, such as '192.0.2.0/24'. IPv4-mapped IPv6 counts as IPv4. \
         A network in place of the address is widened, or stays when it is wider already. Null \
         when the text is no address.",
        "ip_prefix(ip, v4_bits, v6_bits)",
    )
    .with_argument("ip", "Address or network as text.")
    .with_argument("v4_bits", "Length of the network for IPv4, 0 to 32.")
    .with_argument("v6_bits", "Length of the network for IPv6, 0 to 128.")
    .with_sql_example(
        "SELECT ip_prefix(client_ip, 24, 48) AS network, count(*) FROM requests GROUP BY 1 ORDER BY 2 DESC LIMIT 10;",
    )
    .with_related_udf("ip_source")
    .build()
});

static SOURCE_DOC: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        SECTION,
        "Source of an address as the detector counts it: an IPv4 address, or the /64 of an IPv6 \
         address. Joins requests with source_windows.source. Null when the text is no address.",
        "ip_source(ip)",
    )
    .with_argument("ip", "Address as text.")
    .with_sql_example("SELECT ip_source(client_ip) AS source, count(*) FROM requests GROUP BY 1;")
    .with_related_udf("ip_prefix")
    .build()
});

static IN_DOC: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        SECTION,
        "Whether an address lies in a network. IPv4-mapped IPv6 counts as IPv4. Null when the \
         first text is no address; an error when the second is no network.",
        "ip_in(ip, network)",
    )
    .with_argument("ip", "Address (or network) as text.")
    .with_argument("network", "Network such as '192.0.2.0/24' or '2001:db8::/32', or one address.")
    .with_sql_example("SELECT count(*) FROM requests WHERE ip_in(client_ip, '198.51.100.0/24');")
    .build()
});

/// The scalar functions.
pub(super) fn functions() -> [ScalarUDF; 3] {
    [Kind::Prefix, Kind::Source, Kind::In].map(|kind| ScalarUDF::from(IpFunction::new(kind)))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Prefix,
    Source,
    In,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct IpFunction {
    kind: Kind,
    signature: Signature,
}

impl IpFunction {
    fn new(kind: Kind) -> Self {
        let text = || Coercion::new_exact(TypeSignatureClass::Native(logical_string()));
        let bits = || {
            Coercion::new_implicit(
                TypeSignatureClass::Native(logical_int64()),
                vec![TypeSignatureClass::Integer],
                datafusion::common::types::NativeType::Int64,
            )
        };
        let arguments = match kind {
            Kind::Prefix => vec![text(), bits(), bits()],
            Kind::Source => vec![text()],
            Kind::In => vec![text(), text()],
        };
        Self { kind, signature: Signature::coercible(arguments, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for IpFunction {
    fn name(&self) -> &str {
        match self.kind {
            Kind::Prefix => "ip_prefix",
            Kind::Source => "ip_source",
            Kind::In => "ip_in",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(match self.kind {
            Kind::Prefix | Kind::Source => DataType::Utf8,
            Kind::In => DataType::Boolean,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let all_scalar = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if all_scalar { 1 } else { args.number_rows };
        let result: ArrayRef = match (self.kind, args.args.as_slice()) {
            (Kind::Prefix, [ip, v4_bits, v6_bits]) => prefixes(ip, v4_bits, v6_bits, rows)?,
            (Kind::Source, [ip]) => sources(ip, rows)?,
            (Kind::In, [ip, network]) => inside(ip, network, rows)?,
            (_, args) => return exec_err!("{} takes no {} arguments", self.name(), args.len()),
        };
        if all_scalar {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?));
        }
        Ok(ColumnarValue::Array(result))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(match self.kind {
            Kind::Prefix => &PREFIX_DOC,
            Kind::Source => &SOURCE_DOC,
            Kind::In => &IN_DOC,
        })
    }
}

/// A column of text whatever way Arrow holds it.
fn texts(value: &ColumnarValue, rows: usize) -> Result<ArrayRef> {
    Ok(cast(&value.to_array(rows)?, &DataType::Utf8View)?)
}

fn longs(value: &ColumnarValue, rows: usize) -> Result<Int64Array> {
    Ok(cast(&value.to_array(rows)?, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
}

fn bits(value: i64, name: &str, max: u8) -> Result<u8> {
    match u8::try_from(value) {
        Ok(bits) if bits <= max => Ok(bits),
        _ => exec_err!("ip_prefix: {name} is {value}, it must be between 0 and {max}"),
    }
}

fn prefixes(
    ip: &ColumnarValue,
    v4_bits: &ColumnarValue,
    v6_bits: &ColumnarValue,
    rows: usize,
) -> Result<ArrayRef> {
    let ip = texts(ip, rows)?;
    let (v4_bits, v6_bits) = (longs(v4_bits, rows)?, longs(v6_bits, rows)?);
    let mut out = StringBuilder::with_capacity(rows, rows * 16);
    for ((ip, v4), v6) in ip.as_string_view().iter().zip(&v4_bits).zip(&v6_bits) {
        let (Some(ip), Some(v4), Some(v6)) = (ip, v4, v6) else {
            out.append_null();
            continue;
        };
        let (v4, v6) = (bits(v4, "v4_bits", 32)?, bits(v6, "v6_bits", 128)?);
        let prefix = ip_text::parse(ip).map(|net| ip_text::widen(net, v4, v6).to_string());
        out.append_option(prefix);
    }
    Ok(Arc::new(out.finish()))
}

fn sources(ip: &ColumnarValue, rows: usize) -> Result<ArrayRef> {
    let ip = texts(ip, rows)?;
    let mut out = StringBuilder::with_capacity(rows, rows * 16);
    for ip in ip.as_string_view() {
        out.append_option(ip.and_then(ip_text::parse).map(ip_text::source));
    }
    Ok(Arc::new(out.finish()))
}

fn inside(ip: &ColumnarValue, network: &ColumnarValue, rows: usize) -> Result<ArrayRef> {
    let ip = texts(ip, rows)?;
    let ips = ip.as_string_view().iter().map(|ip| ip.and_then(ip_text::parse));
    let found: BooleanArray = if let ColumnarValue::Scalar(scalar) = network {
        match scalar.try_as_str() {
            Some(Some(text)) => {
                let network = parse_network(text)?;
                ips.map(|ip| ip.map(|ip| ip_text::within(&ip, &network))).collect()
            }
            _ => ips.map(|_| None::<bool>).collect(),
        }
    } else {
        let networks = texts(network, rows)?;
        let mut last: Option<(&str, IpNet)> = None;
        let mut found = Vec::with_capacity(rows);
        for (ip, text) in ips.zip(networks.as_string_view()) {
            let (Some(ip), Some(text)) = (ip, text) else {
                found.push(None);
                continue;
            };
            let network = match last {
                Some((known, network)) if known == text => network,
                _ => parse_network(text)?,
            };
            last = Some((text, network));
            found.push(Some(ip_text::within(&ip, &network)));
        }
        BooleanArray::from(found)
    };
    Ok(Arc::new(found))
}

fn parse_network(text: &str) -> Result<IpNet> {
    ip_text::parse(text).ok_or_else(|| {
        exec_datafusion_err!(
            "ip_in: `{text}` is no network; write it as '192.0.2.0/24', '2001:db8::/32' or one address"
        )
    })
}
