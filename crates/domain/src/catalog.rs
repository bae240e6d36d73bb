use serde::{Deserialize, Deserializer, Serialize};
use strum::VariantNames;

use crate::{
    field_error::{Checks, FieldError},
    money::MAX_AMOUNT,
    text::{read_lines, shown},
};

/// Whether a product is on sale.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::VariantNames,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_ty = FieldError, parse_err_fn = refuse_product_status)]
pub enum ProductStatus {
    Active,
    Archived,
}

impl ProductStatus {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

fn refuse_product_status(text: &str) -> FieldError {
    FieldError::unknown("status", text, ProductStatus::VARIANTS)
}

/// A product as its vendor sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Product {
    pub product_id: String,
    pub name: String,
    pub description: String,
    pub category: String,
    /// Minor units of the vendor's currency.
    pub unit_price: i64,
    pub stock: i64,
    /// `null`: the vendor's default.
    pub low_stock_threshold: Option<i64>,
    pub status: ProductStatus,
}

/// What a product is written with. `product_id` may be sent back with it as it was read, and cannot change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProductInput {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_id: Option<String>,
    pub name: String,
    #[serde(default)]
    pub description: String,
    pub category: String,
    pub unit_price: i64,
    pub stock: i64,
    #[serde(default)]
    pub low_stock_threshold: Option<i64>,
    #[serde(default = "active")]
    pub status: ProductStatus,
}

fn active() -> ProductStatus {
    ProductStatus::Active
}

/// The most units of a product that may be in stock, and the highest threshold.
pub const MAX_STOCK: i64 = 1_000_000_000;
pub const MAX_NAME: usize = 200;
pub const MAX_DESCRIPTION: usize = 5_000;
pub const MAX_CATEGORY: usize = 100;

impl ProductInput {
    /// As it is written: its texts in the form they are kept in.
    pub fn checked(mut self) -> Result<Self, Vec<FieldError>> {
        let mut checks = Checks::default();
        checks.line("name", &mut self.name, MAX_NAME);
        self.description =
            checks.accept(read_lines("description", &self.description, MAX_DESCRIPTION)).unwrap_or_default();
        checks.line("category", &mut self.category, MAX_CATEGORY);
        check_numbers(&mut checks, Some(self.unit_price), Some(self.stock), self.low_stock_threshold);
        checks.finish().map(|()| self)
    }
}

/// The same change to many products: what is left out stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProductChanges {
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub category: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub unit_price: Option<i64>,
    /// By how much each price changes, in hundredths of a percent: −9900 to 90000, and not 0. Each is rounded to the
    /// nearest minor unit, halves up.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub unit_price_change_bps: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub stock: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub low_stock_threshold: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub status: Option<ProductStatus>,
}

/// What a change names has a value: `null` would be taken for what is left out.
pub(crate) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Many products of one vendor changed at once: all of them, or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BulkChange {
    pub product_ids: Vec<String>,
    pub changes: ProductChanges,
}

/// By how much a price may be changed at once, in hundredths of a percent: from a hundredth of it to ten times as much.
pub const PRICE_CHANGE_BPS: std::ops::RangeInclusive<i64> = -9_900..=90_000;

/// A price, in minor units, after a change by so many hundredths of a percent.
pub fn changed_price(unit_price: i64, bps: i64) -> i64 {
    (unit_price * (10_000 + bps) + 5_000) / 10_000
}

/// The most products one bulk change may name.
pub const MAX_BULK: usize = 500;

impl BulkChange {
    /// As it is written: its texts in the form they are kept in.
    pub fn checked(mut self) -> Result<Self, Vec<FieldError>> {
        let mut checks = Checks::default();
        checks.require((1..=MAX_BULK).contains(&self.product_ids.len()), "productIds", || {
            format!("must name 1 to {MAX_BULK} products")
        });
        let mut ids: Vec<_> = self.product_ids.iter().collect();
        ids.sort();
        if let Some(pair) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
            checks.require(false, "productIds", || format!("names product `{}` twice", shown(pair[0])));
        }
        let changes = &mut self.changes;
        checks.require(*changes != ProductChanges::default(), "changes", || {
            "must hold at least one of category, unitPrice, unitPriceChangeBps, stock, lowStockThreshold, status"
                .to_owned()
        });
        if let Some(category) = &mut changes.category {
            checks.line("changes.category", category, MAX_CATEGORY);
        }
        check_numbers(&mut checks, changes.unit_price, changes.stock, changes.low_stock_threshold);
        if let Some(bps) = changes.unit_price_change_bps {
            let (least, most) = (PRICE_CHANGE_BPS.start(), PRICE_CHANGE_BPS.end());
            checks.require(bps != 0 && PRICE_CHANGE_BPS.contains(&bps), "changes.unitPriceChangeBps", || {
                format!("must be {least} to {most} hundredths of a percent, and not 0")
            });
            checks.require(changes.unit_price.is_none(), "changes.unitPriceChangeBps", || {
                "cannot be together with unitPrice".to_owned()
            });
        }
        checks.finish().map(|()| self)
    }
}

fn check_numbers(checks: &mut Checks, unit_price: Option<i64>, stock: Option<i64>, threshold: Option<i64>) {
    let within = |value: Option<i64>, most: i64| value.is_none_or(|value| (0..=most).contains(&value));
    checks.require(within(unit_price, MAX_AMOUNT), "unitPrice", || format!("must be 0 to {MAX_AMOUNT} minor units"));
    checks.require(within(stock, MAX_STOCK), "stock", || format!("must be 0 to {MAX_STOCK}"));
    checks.require(within(threshold, MAX_STOCK), "lowStockThreshold", || format!("must be 0 to {MAX_STOCK}, or null"));
}
