//! Where numbers of the table of tests come from, for those that several rows share.

/// Where that comes from.
pub(super) const PROBING: &str = "every public site is asked for up to thirty unknown paths in ten minutes \
                       by passing robots; decayed, that is twenty to thirty";

/// Where the quiet floor of unknown paths comes from.
pub(super) const QUIET_PATHS: &str = "a choice: a host with fewer than sixty requests in ten minutes meets \
                           few robots, so that less than the floor is a search already";

/// Where those of unknown paths over an hour and a day come from.
pub(super) const QUIET_LONG: &str =
    "more than twice, and four times, the quiet floor of ten minutes, as those of other hosts";

/// Where the quiet floor of attack texts comes from.
pub(super) const QUIET_TEXTS: &str =
    "a choice: fewer than of unknown paths on such a host, for an attack text says more";

/// Where the envelopes of unknown paths come from.
pub(super) const DEAD_LINKS: &str =
    "dead links met by chance: a choice, doubled with each longer time";

/// Where the envelopes of volume come from.
pub(super) const HALF_AS_MUCH_AGAIN: &str = "half as much again as the quantile (99.5 %) of the host's own \
                                  sources; the margin, and the least, are choices";

/// Where it comes from that no evidence is asked for beyond the floor.
pub(super) const FLOOR_SAYS_IT: &str = "a choice: the floor is set where chance does not reach; the evidence \
                             beyond it only tells how sure it is";

/// Where the evidence comes from that volume needs.
pub(super) const FAR_BEYOND: &str = "a choice: odds of twenty thousand to one against chance beyond the \
                          envelope; a flood is far beyond";

/// Where the evidence comes from that a steady pace needs.
pub(super) const ONE_IN_A_THOUSAND: &str = "a choice: odds of a thousand to one against chance, less than of \
                                 a burst, for a minute of it was seen";

/// Where the shares of log-ins come from.
pub(super) const MOSTLY_TRIES: &str =
    "a choice: half of what it asks for; who mostly does something else is a person";

/// Where the shares of log-ins within minutes come from.
pub(super) const FORM_IS_READ: &str = "a form is read for every try, so that who does nothing else has half; \
                            a tenth is allowed for the rest";

/// Where the shares of attack texts come from.
pub(super) const MIXED_TEXTS: &str = "a choice: one request in five; scanners mix them with harmless ones, \
                           visitors send next to none";

/// Answers that one source waits for.
pub(super) const READS_AN_ANSWER: &str = "as much in ten minutes as the quantile (99.5 %) of the host's own sources takes in one: who \
                                          waited for an answer reads it: a choice";

/// Share of the host's time.
pub(super) const HELD_SHARE: &str =
    "a choice: a tenth of the time that all answers take: where many wait each has less";
