//! Mutations for long inputs: libFuzzer grows an input by a few bytes at a time and would hardly ever come to a line
//! of a megabyte.

/// Longest piece that is repeated.
const PIECE_BYTES_MAX: u32 = 64;

/// Inputs are stretched when they may become so long.
const LONG_BYTES: usize = 64 * 1024;

/// One mutation in so many stretches.
const ONE_IN: u32 = 4;

/// Mutates the first `size` bytes of `data`, which holds `max_size`; the new size. Where long inputs are wanted, a
/// piece is now and then repeated until the input is long.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let [choice, place, length, fill] = seeds(seed);
    let start = place as usize % size.max(1);
    // Long lines are wanted, rather than many.
    let may_stretch = size > 0 && data[start] != b'\n' && size <= LONG_BYTES;
    if max_size < LONG_BYTES || !may_stretch || choice % ONE_IN != 0 {
        return libfuzzer_sys::fuzzer_mutate(data, size, max_size);
    }
    let length = (1 + length % PIECE_BYTES_MAX) as usize;
    let piece = data[start..size.min(start + length)].split(|byte| *byte == b'\n').next();
    let end = start + piece.map_or(0, <[u8]>::len);
    let piece = data[start..end].to_vec();
    let tail = data[end..size].to_vec();
    // Mostly to the limit, at times less: a law may break at some length only.
    let wanted = if fill % 4 == 0 { fill as usize % max_size } else { max_size };
    let room = wanted.saturating_sub(start + tail.len());
    let repeated = room / piece.len() * piece.len();
    for place in data[start..start + repeated].chunks_exact_mut(piece.len()) {
        place.copy_from_slice(&piece);
    }
    data[start + repeated..start + repeated + tail.len()].copy_from_slice(&tail);
    (start + repeated + tail.len()).max(1)
}

/// Numbers drawn from one seed, mixed by the finaliser of Appleby's `MurmurHash3`, `fmix32`.
fn seeds(seed: u32) -> [u32; 4] {
    [1u32, 2, 3, 4].map(|step| {
        let mut number = seed.wrapping_add(step.wrapping_mul(0x9e37_79b9));
        number = (number ^ (number >> 16)).wrapping_mul(0x85eb_ca6b);
        number = (number ^ (number >> 13)).wrapping_mul(0xc2b2_ae35);
        number ^ (number >> 16)
    })
}
