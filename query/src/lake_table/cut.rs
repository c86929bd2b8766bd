//! Rows to read, cut into pieces of equal length, so that every processor has work though there be one file.

use std::sync::Arc;

use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::datasource::physical_plan::ParquetFileMetrics;
use datafusion::datasource::physical_plan::parquet::{
    PagePruningAccessPlanFilter, ParquetAccessPlan, RowGroupAccess, RowGroupAccessPlanFilter,
};
use datafusion::parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;

use super::prune;

/// Rows below which a piece is not cut further: opening a file and unpacking dictionaries cost as much as some thousand
/// rows.
const PIECE_ROWS_MIN: usize = 48 << 10;

/// Pieces for each processor: one that is done early takes another.
const PIECES_EACH: usize = 2;

/// Rows of a file that a scan begins with.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) file: usize,
    pub(super) rows: usize,
    pub(super) plan: ParquetAccessPlan,
}

/// A run of rows of one row group.
#[derive(Debug, Clone, Copy)]
struct Run {
    file: usize,
    group: usize,
    from: usize,
    rows: usize,
}

/// What is left of a file after its own statistics are asked.
pub(super) fn access(
    footer: &ParquetMetaData,
    condition: Option<&Arc<dyn PhysicalExpr>>,
    schema: &SchemaRef,
) -> ParquetAccessPlan {
    let mut plan = ParquetAccessPlan::new_all(footer.num_row_groups());
    let Some(condition) = condition else { return plan };
    let metrics = ParquetFileMetrics::new(0, "", &ExecutionPlanMetricsSet::new());
    let parquet_schema = footer.file_metadata().schema_descr();
    let arrow: &Schema = schema;
    if let Some(predicate) = prune::predicate(condition, schema) {
        let mut groups = RowGroupAccessPlanFilter::new(plan);
        groups.prune_by_statistics(
            arrow,
            parquet_schema,
            footer.row_groups(),
            &predicate,
            &metrics,
        );
        plan = groups.build();
    }
    if footer.column_index().is_some() && footer.offset_index().is_some() {
        let pages = PagePruningAccessPlanFilter::new(condition, Arc::clone(schema));
        plan = pages.prune_plan_with_page_index(plan, arrow, parquet_schema, footer, &metrics);
    }
    plan
}

/// Cuts what is left of the files, whose row groups have `groups` rows, into pieces for `processors`.
pub(super) fn cut(files: &[(ParquetAccessPlan, Vec<usize>)], processors: usize) -> Vec<Piece> {
    let runs: Vec<Run> = files.iter().enumerate().flat_map(|(file, of)| runs(file, of)).collect();
    let total: usize = runs.iter().map(|run| run.rows).sum();
    let wanted = if processors > 1 { processors * PIECES_EACH } else { 1 };
    let aim = total.div_ceil(wanted).max(PIECE_ROWS_MIN);
    let mut pieces: Vec<(usize, Vec<Run>, usize)> = Vec::new();
    for mut run in runs {
        while run.rows > 0 {
            let open = pieces.last().filter(|(file, _, rows)| *file == run.file && *rows < aim);
            let room = open.map_or(aim, |(_, _, rows)| aim - rows);
            // What would remain of a run and be hardly worth a piece stays with it.
            let taken = if run.rows < room + PIECE_ROWS_MIN / 2 { run.rows } else { room };
            let part = Run { rows: taken, ..run };
            match pieces.last_mut().filter(|(file, _, rows)| *file == run.file && *rows < aim) {
                Some((_, runs, rows)) => {
                    runs.push(part);
                    *rows += taken;
                }
                None => pieces.push((run.file, vec![part], taken)),
            }
            run.from += taken;
            run.rows -= taken;
        }
    }
    let piece = |(file, runs, rows): (usize, Vec<Run>, usize)| {
        let groups = files.get(file).map(|(_, groups)| groups.as_slice()).unwrap_or_default();
        Piece { file, rows, plan: plan_of(&runs, groups) }
    };
    pieces.into_iter().map(piece).collect()
}

/// The runs of rows of a file that are to be read.
fn runs(file: usize, (plan, groups): &(ParquetAccessPlan, Vec<usize>)) -> Vec<Run> {
    let mut runs = Vec::new();
    for (group, (access, rows)) in plan.inner().iter().zip(groups).enumerate() {
        match access {
            RowGroupAccess::Skip => {}
            RowGroupAccess::Scan => runs.push(Run { file, group, from: 0, rows: *rows }),
            RowGroupAccess::Selection(selection) => {
                let mut from = 0;
                for selector in selection.iter() {
                    if !selector.skip {
                        runs.push(Run { file, group, from, rows: selector.row_count });
                    }
                    from += selector.row_count;
                }
            }
        }
    }
    runs
}

/// The runs as the Parquet reader takes them.
fn plan_of(runs: &[Run], groups: &[usize]) -> ParquetAccessPlan {
    let mut plan = ParquetAccessPlan::new_none(groups.len());
    for of_group in runs.chunk_by(|a, b| a.group == b.group) {
        let Some(first) = of_group.first() else { continue };
        let rows = groups.get(first.group).copied().unwrap_or_default();
        if first.rows == rows {
            plan.scan(first.group);
            continue;
        }
        let mut selectors = Vec::with_capacity(of_group.len() * 2 + 1);
        let mut at = 0;
        for run in of_group {
            if run.from > at {
                selectors.push(RowSelector::skip(run.from - at));
            }
            selectors.push(RowSelector::select(run.rows));
            at = run.from + run.rows;
        }
        if at < rows {
            selectors.push(RowSelector::skip(rows - at));
        }
        plan.scan(first.group);
        plan.scan_selection(first.group, RowSelection::from(selectors));
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pieces: &[Piece], groups: &[usize]) -> Vec<String> {
        let rows = |piece: &Piece| {
            let of = (piece.plan.clone(), groups.to_vec());
            let runs = runs(piece.file, &of);
            runs.iter().map(|run| format!("{}:{}+{}", run.group, run.from, run.rows)).collect()
        };
        pieces
            .iter()
            .map(|piece| {
                format!("{} {}", piece.file, {
                    let r: Vec<String> = rows(piece);
                    r.join(" ")
                })
            })
            .collect()
    }

    #[test]
    fn one_row_group_is_work_for_all_processors() {
        let groups = vec![400_000];
        let pieces = cut(&[(ParquetAccessPlan::new_all(1), groups.clone())], 2);
        assert_eq!(
            shown(&pieces, &groups),
            ["0 0:0+100000", "0 0:100000+100000", "0 0:200000+100000", "0 0:300000+100000"]
        );
    }

    #[test]
    fn every_row_is_in_one_piece_and_what_is_skipped_in_none() {
        let groups = vec![300_000, 10, 200_000];
        let mut plan = ParquetAccessPlan::new_all(3);
        plan.skip(1);
        plan.scan_selection(
            2,
            RowSelection::from(vec![RowSelector::skip(150_000), RowSelector::select(50_000)]),
        );
        let pieces = cut(&[(plan, groups.clone())], 1);
        assert_eq!(shown(&pieces, &groups), ["0 0:0+300000 2:150000+50000"]);
    }

    #[test]
    fn small_files_are_left_whole() {
        let groups = vec![1_000];
        let files = vec![(ParquetAccessPlan::new_all(1), groups.clone()); 3];
        let pieces = cut(&files, 8);
        assert_eq!(shown(&pieces, &groups), ["0 0:0+1000", "1 0:0+1000", "2 0:0+1000"]);
    }
}
