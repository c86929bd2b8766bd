//! Names that are written with the schema that has everything, or without a schema where that is meant.

use datafusion::sql::sqlparser::ast::{Ident, ObjectName, ObjectNamePart};

use super::catalogue::INFORMATION_INSIDE;
use super::declared::{Declared, declared};
use super::relations::{INFORMATION, SYSTEM};
use super::settings::DATABASE;

/// The parts of a name; `None` where one is no name.
pub(super) fn parts(name: &ObjectName) -> Option<Vec<&Ident>> {
    name.0.iter().map(ObjectNamePart::as_ident).collect()
}

/// Whether an identifier is that name.
pub(super) fn is(ident: &Ident, name: &str) -> bool {
    match ident.quote_style {
        Some(_) => ident.value == name,
        None => ident.value.eq_ignore_ascii_case(name),
    }
}

/// An identifier as it is meant: in lower case unless it is quoted.
pub(super) fn folded(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}

/// The last part of a name, as it is meant.
pub(super) fn last(name: &ObjectName) -> Option<String> {
    name.0.last()?.as_ident().map(folded)
}

/// Leaves out the schema of functions and types, of which there is one.
pub(super) fn unqualify(name: &mut ObjectName) {
    let is_system = |part: &ObjectNamePart| {
        part.as_ident().is_some_and(|of| is(of, SYSTEM.name) || is(of, INFORMATION.name))
    };
    if name.0.len() > 1 && name.0.first().is_some_and(is_system) {
        name.0.remove(0);
    }
}

/// Names a relation as the engine knows it.
pub(super) fn qualify(name: &mut ObjectName) {
    let is_database = |part: &ObjectNamePart| part.as_ident().is_some_and(|of| is(of, DATABASE));
    if name.0.len() == 3 && name.0.first().is_some_and(is_database) {
        name.0.remove(0);
    }
    match name.0.as_mut_slice() {
        [ObjectNamePart::Identifier(one)] if declared(SYSTEM, &folded(one)).is_some() => {
            name.0.insert(0, ObjectNamePart::Identifier(Ident::new(SYSTEM.name)));
        }
        [ObjectNamePart::Identifier(space), _] if is(space, INFORMATION.name) => {
            *space = Ident::new(INFORMATION_INSIDE);
        }
        _ => {}
    }
}

/// Whether a relation never has rows.
pub(super) fn is_empty(name: &ObjectName) -> bool {
    found(name).is_some_and(|of| !of.has_rows)
}

/// Whether a relation is of the catalogue.
pub(super) fn is_catalogue(name: &ObjectName) -> bool {
    found(name).is_some()
}

fn found(name: &ObjectName) -> Option<&'static Declared> {
    let parts = parts(name)?;
    let (space, name) = match parts.as_slice() {
        [name] => (SYSTEM, name),
        [space, name] if is(space, SYSTEM.name) => (SYSTEM, name),
        [space, name] if is(space, INFORMATION_INSIDE) || is(space, INFORMATION.name) => {
            (INFORMATION, name)
        }
        _ => return None,
    };
    declared(space, &folded(name))
}
