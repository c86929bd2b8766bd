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

/// The last part of a name, in lower case unless it is quoted.
pub(super) fn last(name: &ObjectName) -> Option<String> {
    let last = name.0.last()?.as_ident()?;
    let is_quoted = last.quote_style.is_some();
    Some(if is_quoted { last.value.clone() } else { last.value.to_lowercase() })
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
        [ObjectNamePart::Identifier(one)]
            if declared(SYSTEM, &one.value.to_lowercase()).is_some() =>
        {
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
    declared(space, &name.value.to_lowercase())
}
