//! User agents: browsers in use, browsers of years ago, programs.

use std::sync::OnceLock;

use super::draw::{Draw, mix};
use super::row::Text;

/// A user agent and the TLS fingerprint that goes with it.
pub type Agent = (Text, &'static str);

const CHROME: &str = "t13d1516h2_8daaf6152771_02713d6af862";
const CHROME_MOBILE: &str = "t13d1517h2_8daaf6152771_b1ff8ab2d16f";
const SAFARI: &str = "t13d2014h2_a09f3c656075_e42f34c56612";
const FIREFOX: &str = "t13d1715h2_5b57614c22b0_5c2c66f702b0";

/// Made once and copied into many rows.
fn kept(text: String) -> Text {
    Text::Borrowed(text.leak())
}

fn chrome(system: &str, version: u64, tail: &str) -> Text {
    kept(format!(
        "Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 {tail}"
    ))
}

fn firefox(system: &str, version: u64) -> Text {
    kept(format!("Mozilla/5.0 ({system}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"))
}

const WINDOWS: &str = "Windows NT 10.0; Win64; x64";
const MAC: &str = "Macintosh; Intel Mac OS X 10_15_7";
const LINUX: &str = "X11; Linux x86_64";
const ANDROID: &str = "Linux; Android 10; K";

/// Browsers of this month, the most common first.
pub fn current() -> &'static [Agent] {
    static LIST: OnceLock<Vec<Agent>> = OnceLock::new();
    LIST.get_or_init(|| {
        let mut list: Vec<Agent> = Vec::new();
        for version in [133, 134, 132, 131, 130, 129] {
            list.push((chrome(WINDOWS, version, "Safari/537.36"), CHROME));
            list.push((chrome(ANDROID, version, "Mobile Safari/537.36"), CHROME_MOBILE));
            let ios = version - 115;
            let phone = format!(
                "Mozilla/5.0 (iPhone; CPU iPhone OS {ios}_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{ios}.3 Mobile/15E148 Safari/604.1"
            );
            list.push((kept(phone), SAFARI));
            list.push((chrome(MAC, version, "Safari/537.36"), CHROME));
            let edge = format!("Safari/537.36 Edg/{version}.0.0.0");
            list.push((chrome(WINDOWS, version, &edge), CHROME));
            list.push((firefox(WINDOWS, version + 2), FIREFOX));
            let mac = format!(
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{ios}.2 Safari/605.1.15"
            );
            list.push((kept(mac), SAFARI));
            list.push((firefox(LINUX, version + 1), FIREFOX));
            list.push((chrome(LINUX, version, "Safari/537.36"), CHROME));
            list.push((firefox(MAC, version + 2), FIREFOX));
        }
        list
    })
}

/// Browsers of three years ago and more: nearly out of use, favoured by programs that pretend.
pub fn old() -> &'static [Agent] {
    static LIST: OnceLock<Vec<Agent>> = OnceLock::new();
    LIST.get_or_init(|| {
        let mut list: Vec<Agent> = Vec::new();
        for version in 84..101 {
            for system in [WINDOWS, MAC, LINUX, "Windows NT 6.1; Win64; x64"] {
                list.push((chrome(system, version, "Safari/537.36"), CHROME));
            }
            list.push((firefox(WINDOWS, version), FIREFOX));
        }
        list
    })
}

/// The browser of a visitor: one in fifty has an old one.
pub fn of_visitor(who: u64) -> Agent {
    let mut draw = Draw::new(mix(who ^ 0xa9e7));
    if draw.chance(0.02) {
        return draw.pick(old()).clone();
    }
    let list = current();
    list[draw.zipf(list.len() as u64) as usize].clone()
}

/// Whether a user agent is that of a browser in use.
pub fn is_current(agent: &str) -> bool {
    current().iter().any(|(known, _)| known == agent)
}
