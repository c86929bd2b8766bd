//! The harness itself: a real broker and kcat answer as the other tests expect.

use tests::kafka::{Kafka, kcat};
use tests::skip::or_skip;

#[test]
fn a_broker_counts_what_kcat_produced() {
    let Some(kafka) = or_skip(Kafka::shared()) else { return };
    let topic = kafka.topic("broker", 2);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), tests::sample::combined_log(10)).unwrap();
    let produce = ["-t", &topic, "-P", "-z", "zstd", "-l", file.path().to_str().unwrap()];
    let Some(output) = or_skip(kcat(kafka, &produce)) else { return };
    assert!(output.status.success(), "{output:?}");
    assert_eq!(kafka.messages(&topic), 10);
    assert_eq!(kafka.lag("nobody", &topic), 10);
    assert_eq!(kafka.members("nobody"), 0);
}
