//! Whether a request asked in vain, by what its host is known to serve and how it answers others.

use crate::math::hash::{mix, with_slash};
use crate::record::event::{Event, flag};
use crate::seen::host::Host;

impl Host {
    /// Whether a request asked in vain for what the host does not serve: it was refused, sent elsewhere, or answered
    /// with what the host answers to everything. A link that was misread is none.
    pub fn is_unserved(&self, event: &Event) -> bool {
        let in_vain = event.is_refused_path()
            || event.is_redirected() && self.is_turned_away(event)
            || self.normal.answers.is_catch_all(event);
        in_vain
            && event.flags & (flag::ASSET | flag::MISREAD) == 0
            && !self.normal.paths.contains(event.path)
    }

    /// Whether a redirect says that what was asked for is not there. It does not where a page of the host leads to it, or what
    /// differs by a slash at the end is served; and where nearly all are sent elsewhere, it does only for what is only searched
    /// for. A write that is taken leads elsewhere, unless all is.
    fn is_turned_away(&self, event: &Event) -> bool {
        let sends_all = self.normal.elsewhere.is_usual();
        if sends_all || event.has(flag::WRITE) {
            return sends_all && self.is_sought(event);
        }
        self.is_sought(event)
            || !event.has(flag::REFERER_OWN) && !self.normal.paths.contains(with_slash(event.path))
    }

    /// Whether a path is one that is only searched for: by its words, or by its end where hardly anybody asks for such.
    pub(super) fn is_sought(&self, event: &Event) -> bool {
        event.flags & (flag::SOUGHT | flag::HOSTILE) != 0
            || event.has(flag::SCRIPT) && !self.normal.elsewhere.has_scripts()
    }

    /// Whether a path has the shape of others that the host serves: one more number, not a guess at what it runs.
    pub fn has_shape(&self, event: &Event) -> bool {
        event.shape != 0 && self.normal.shapes.contains(mix(u64::from(event.shape)))
    }
}
