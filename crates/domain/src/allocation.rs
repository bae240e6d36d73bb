//! Sharing an amount out over the lines of an order, so that the shares always add up to it.

/// Shares of `amount` in proportion to `weights`, each rounded down; what is left over goes to the largest weight, of
/// equals to the first, and on to the next largest where that one has no room. No share is larger than its weight. All
/// in minor units, none negative; `amount` is at most the sum of the weights. (Shopify allocates discounts over an
/// order this way.)
pub fn share(amount: i64, weights: &[i64]) -> Vec<i64> {
    let whole: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    if whole == 0 {
        return vec![0; weights.len()];
    }
    let mut shares: Vec<i64> = weights
        .iter()
        .map(|weight| i64::try_from(i128::from(amount) * i128::from(*weight) / whole).unwrap_or_default())
        .collect();
    let mut left = amount - shares.iter().sum::<i64>();
    let mut largest_first: Vec<usize> = (0..weights.len()).collect();
    largest_first.sort_by_key(|at| (std::cmp::Reverse(weights[*at]), *at));
    for at in largest_first {
        let more = left.min(weights[at] - shares[at]);
        shares[at] += more;
        left -= more;
    }
    shares
}

/// `whole × part ÷ of`, rounded half up; 0 where `of` is. None of them negative, `part` at most `of`.
pub fn proportion(whole: i64, part: i64, of: i64) -> i64 {
    let (whole, part, of) = (i128::from(whole), i128::from(part), i128::from(of));
    if of == 0 { 0 } else { i64::try_from((whole * part * 2 + of) / (of * 2)).unwrap_or_default() }
}

/// All of something, in hundredths of a percent.
pub const WHOLE_BPS: i64 = 10_000;

/// The marketplace's part of a line's net amount at a rate in hundredths of a percent, rounded half up.
pub fn commission(net: i64, rate_bps: i64) -> i64 {
    proportion(net, rate_bps, WHOLE_BPS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_the_largest_line_takes_what_is_left_over() {
        for (amount, weights, shares) in [
            (100, vec![300, 300, 300], vec![34, 33, 33]),
            (100, vec![100, 500, 100], vec![14, 72, 14]),
            (7, vec![7], vec![7]),
            (0, vec![5, 5], vec![0, 0]),
            (10, vec![0, 10, 0], vec![0, 10, 0]),
            (0, vec![0, 0], vec![0, 0]),
            // The largest has room for one only, and so has the next.
            (2, vec![1, 1, 1], vec![1, 1, 0]),
            (90_000_000_000, vec![90_000_000_000, 90_000_000_000], vec![45_000_000_000, 45_000_000_000]),
        ] {
            assert_eq!(share(amount, &weights), shares, "{amount} over {weights:?}");
        }
    }

    #[test]
    fn no_share_is_larger_than_its_weight_whatever_is_shared() {
        let weights = [3, 1, 4, 1, 5, 9, 2, 6];
        for amount in 0..=31 {
            let shares = share(amount, &weights);
            assert_eq!(shares.iter().sum::<i64>(), amount);
            assert!(
                shares.iter().zip(weights).all(|(share, weight)| (0..=weight).contains(share)),
                "{amount}: {shares:?}"
            );
        }
    }

    #[test]
    fn commission_is_rounded_half_up() {
        assert_eq!((commission(2_250, 1_000), commission(5, 1_000), commission(4, 1_000)), (225, 1, 0));
    }
}
