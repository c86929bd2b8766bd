//! Who asked: forwarding headers, trusted proxies, and what is left of addresses that are hidden. The first byte of an
//! input chooses the policy.

#![no_main]

use std::cell::RefCell;

use decode_fuzz::people::People;

thread_local! {
    static PEOPLE: RefCell<Vec<People>> = RefCell::new(People::all());
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let [policy, input @ ..] = input else { return };
    PEOPLE.with_borrow_mut(|people| {
        let index = usize::from(*policy) % people.len();
        people[index].check(input);
    });
});

libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    decode_fuzz::mutate(data, size, max_size, seed)
});
