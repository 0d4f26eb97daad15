//! Points that are no Ed25519 key.
//!
//! A point of small order has no private half: for it, anybody can write down signatures of any message. Libraries
//! verify them, because RFC 8032 does not tell a verifier to look. RFC 8725 section 3.4 does: all inputs of the
//! cryptography must be validated.

use super::jwks::KeyProblem;

/// The prime of the field, 2^255 - 19 (RFC 8032 section 5.1), little-endian.
const PRIME: [u8; 32] = {
    let mut prime = [0xff; 32];
    prime[0] = 0xed;
    prime[31] = 0x7f;
    prime
};

/// The `y` of each of the eight points whose order divides the cofactor 8, little-endian: of the neutral point, of the
/// point of order 2, of the two of order 4, and of the four of order 8. They come in pairs that differ in the sign of
/// `x`. It is the list of libsodium (`ge25519_has_small_order`).
const SMALL_ORDER: [[u8; 32]; 5] = [
    ONE,
    MINUS_ONE,
    [0; 32],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

const ONE: [u8; 32] = {
    let mut one = [0; 32];
    one[0] = 1;
    one
};

const MINUS_ONE: [u8; 32] = {
    let mut minus_one = PRIME;
    minus_one[0] = 0xec;
    minus_one
};

/// Checks the bytes of a public key (RFC 8032 section 5.1.2), before the library parses them.
pub(super) fn check(point: &[u8]) -> Result<(), KeyProblem> {
    let mut y: [u8; 32] = point.try_into().map_err(|_| KeyProblem::Invalid)?;
    // The sign of `x`: with it or without, the order is the same. Where `x` is zero, it must not be set.
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    // A `y` that is not below the prime: decoding fails (RFC 8032 section 5.1.3). The library would subtract the
    // prime, and two of these are then of small order.
    let is_canonical = y.iter().rev().lt(PRIME.iter().rev());
    let ([low, high @ ..], [_, prime @ ..]) = (y, PRIME);
    let is_zero_or_one = high == prime && matches!(low, 0xed | 0xee);
    if SMALL_ORDER.contains(&y) || is_zero_or_one {
        return Err(KeyProblem::SmallOrder);
    }
    if is_canonical { Ok(()) } else { Err(KeyProblem::Invalid) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All 8 points of small order in each of their encodings, of which 14 exist: curve25519-dalek finds them.
    #[test]
    fn points_of_small_order_are_refused_in_every_encoding() {
        use curve25519_dalek::constants::EIGHT_TORSION;
        use curve25519_dalek::edwards::CompressedEdwardsY;
        for point in EIGHT_TORSION {
            let mut bytes = point.compress().to_bytes();
            for _ in 0..2 {
                assert_eq!(check(&bytes), Err(KeyProblem::SmallOrder), "{bytes:x?}");
                bytes[31] ^= 0x80;
            }
        }
        // Every `y` that is not below the prime, with either sign.
        let mut small = 0;
        for low in 0xed..=0xff {
            for high in [0x7f, 0xff] {
                let mut bytes = [0xff; 32];
                (bytes[0], bytes[31]) = (low, high);
                let is_small =
                    CompressedEdwardsY(bytes).decompress().is_some_and(|point| point.is_small_order());
                small += usize::from(is_small);
                let expected = if is_small { KeyProblem::SmallOrder } else { KeyProblem::Invalid };
                assert_eq!(check(&bytes), Err(expected), "{bytes:x?}");
            }
        }
        assert!(small >= 2, "{small}");
    }

    #[test]
    fn other_points_are_left_to_the_library() {
        use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
        use curve25519_dalek::scalar::Scalar;
        let mut point = ED25519_BASEPOINT_POINT;
        for number in 0..2000u64 {
            // A point beside one of small order is not of small order itself.
            for torsion in EIGHT_TORSION {
                let bytes = (point + torsion).compress().to_bytes();
                assert_eq!(check(&bytes), Ok(()), "{bytes:x?}");
            }
            point = point * Scalar::from(number | 1) + ED25519_BASEPOINT_POINT;
        }
        for length in [0, 31, 33, 64] {
            assert_eq!(check(&vec![9; length]), Err(KeyProblem::Invalid));
        }
    }
}
