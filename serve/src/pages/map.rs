//! A map of IPv4, or of the one network that all requests come from: what is near in number is near on it.

use std::net::Ipv4Addr;

use maud::{Markup, html};

use super::layout::{several, source_link};
use crate::questions::Row;

/// Bits by which a square is a smaller network than the map: as many squares as can be told apart on a telephone.
const BITS: u32 = 10;

/// Bits of the networks that have a square each: of the map of all, and of those of one of its squares.
pub(super) const SCALES: [u32; 3] = [BITS, 2 * BITS, 3 * BITS];

/// Squares of a side.
const SIDE: u32 = 1 << (BITS / 2);

/// Size of a square, in the drawing's own units.
const SQUARE: u32 = 10;

/// The least that a filled square takes of its side, so that it is seen.
const LEAST: f64 = 0.3;

/// Requests of one network.
#[derive(Debug, Clone, PartialEq)]
struct Spot {
    network: Ipv4Addr,
    requests: u64,
    addresses: u64,
}

/// Where requests come from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Map {
    /// Bits of the networks that have a square each.
    bits: u32,
    spots: Vec<Spot>,
}

impl Map {
    /// From rows with `network`, `requests`, `addresses`; other networks than those of IPv4 with so many bits are left out.
    pub(super) fn new(rows: &[Row], bits: u32) -> Self {
        let spot = |row: &Row| {
            let (address, of) = row.text("network").split_once('/')?;
            let network = address.parse().ok().filter(|_| of.parse() == Ok(bits))?;
            Some(Spot {
                network,
                requests: row.count("requests"),
                addresses: row.count("addresses"),
            })
        };
        Self { bits, spots: rows.iter().filter_map(spot).collect() }
    }

    /// Whether a map of the next scale would tell more: everything is in one square.
    pub(super) const fn is_one(&self) -> bool {
        self.spots.len() == 1
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.spots.is_empty()
    }

    /// Draws it. The side of a square tells the requests: as their root, so that its area does.
    pub(super) fn draw(&self) -> Markup {
        let most = self.spots.iter().map(|spot| spot.requests).max().unwrap_or_default().max(1);
        let whole = SIDE * SQUARE;
        html! {
            figure .map {
                svg viewBox={ "0 0 " (whole) " " (whole) } role="group" aria-label="Networks of IPv4 by their requests" {
                    rect .ground width=(whole) height=(whole) {}
                    @for line in (4..SIDE).step_by(4) {
                        @let at = line * SQUARE;
                        line .axis x1=(at) x2=(at) y1="0" y2=(whole) {}
                        line .axis x1="0" x2=(whole) y1=(at) y2=(at) {}
                    }
                    @for spot in &self.spots { (spot.draw(self.bits, most)) }
                }
                figcaption {
                    (self.whole()) ", along Hilbert's curve from its first address at the top left to its last at the top right: a square is a /"
                    (self.bits) ", its size the requests from it, and nearby networks are nearby."
                }
            }
        }
    }

    /// What the map is of.
    fn whole(&self) -> String {
        let bits = self.bits - BITS;
        match self.spots.first().filter(|_| bits > 0) {
            Some(spot) => format!(
                "{}/{bits}",
                Ipv4Addr::from_bits(spot.network.to_bits() >> (32 - bits) << (32 - bits))
            ),
            None => "All of IPv4".to_owned(),
        }
    }
}

impl Spot {
    fn draw(&self, bits: u32, most: u64) -> Markup {
        #[expect(clippy::cast_precision_loss, reason = "a drawing has fewer places than a float")]
        let share = (self.requests as f64 / most as f64).sqrt().max(LEAST);
        let (column, row) = place(self.network.to_bits() >> (32 - bits) & (SIDE * SIDE - 1));
        let side = share * f64::from(SQUARE);
        let at =
            |cell: u32| format!("{:.1}", (f64::from(cell) + 0.5) * f64::from(SQUARE) - side / 2.0);
        let network = format!("{}/{bits}", self.network);
        let says = format!(
            "{network}: {} of {}",
            several(self.requests, "request"),
            several(self.addresses, "address")
        );
        html! {
            a href=(source_link(&network)) aria-label=(says) {
                title { (says) }
                rect .requests x=(at(column)) y=(at(row)) width=(format!("{side:.1}")) height=(format!("{side:.1}")) {}
            }
        }
    }
}

/// Column and row of the place at `distance` along Hilbert's curve through a square of [`SIDE`] places a side.
fn place(distance: u32) -> (u32, u32) {
    let (mut column, mut row, mut left, mut side) = (0, 0, distance, 1);
    while side < SIDE {
        let right = 1 & (left / 2);
        let below = 1 & (left ^ right);
        if below == 0 {
            if right == 1 {
                (column, row) = (side - 1 - column, side - 1 - row);
            }
            (column, row) = (row, column);
        }
        column += side * right;
        row += side * below;
        left /= 4;
        side *= 2;
    }
    (column, row)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_curve_visits_every_place_and_goes_from_neighbour_to_neighbour() {
        let all: Vec<(u32, u32)> = (0..SIDE * SIDE).map(place).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        for ((x, y), (to_x, to_y)) in all.iter().zip(&all[1..]) {
            assert_eq!(x.abs_diff(*to_x) + y.abs_diff(*to_y), 1, "{x} {y}");
        }
        assert_eq!((all[0], all[all.len() - 1]), ((0, 0), (SIDE - 1, 0)));
    }

    #[test]
    fn a_network_is_a_square_that_leads_to_it() {
        let rows = [
            r#"{"network": "203.0.0.0/10", "requests": 900, "addresses": 2}"#,
            r#"{"network": "2001:db8::/32", "requests": 5, "addresses": 1}"#,
            r#"{"network": "</title><script>/10", "requests": 5, "addresses": 1}"#,
        ]
        .map(|row| Row(serde_json::from_str(row).unwrap()));
        let map = Map::new(&rows, BITS);
        assert!(map.is_one());
        let drawn = map.draw().into_string();
        assert!(
            drawn.contains("203.0.0.0/10: 900 requests of 2 addresses")
                && !drawn.contains("script"),
            "{drawn}"
        );
        assert!(drawn.contains("All of IPv4,") && !drawn.contains("style="), "{drawn}");
        let near = [r#"{"network": "203.0.113.0/20", "requests": 900, "addresses": 2}"#]
            .map(|row| Row(serde_json::from_str(row).unwrap()));
        let drawn = Map::new(&near, 20).draw().into_string();
        assert!(
            drawn.contains("203.0.0.0/10, along") && drawn.contains("a square is a /20"),
            "{drawn}"
        );
    }
}
