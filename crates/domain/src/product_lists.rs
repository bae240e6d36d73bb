//! Lists of products: what may be asked for, and what a page of one holds.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::VariantNames;

use crate::{
    catalog::{Product, ProductStatus},
    field_error::FieldError,
    position::Position,
};

/// How a list of products is sorted. Products with the same value are listed by their ids, ascending. Some have an older
/// name too, without `_asc` and `_desc`.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
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
#[strum(serialize_all = "snake_case", parse_err_ty = FieldError, parse_err_fn = refuse_product_sort)]
pub enum ProductSort {
    /// By their names, without case and accents.
    #[default]
    #[strum(to_string = "name_asc", serialize = "name")]
    NameAsc,
    NameDesc,
    CategoryAsc,
    CategoryDesc,
    /// Active ones first.
    StatusAsc,
    StatusDesc,
    #[strum(to_string = "stock_asc", serialize = "stock")]
    StockAsc,
    StockDesc,
    #[strum(to_string = "price_asc", serialize = "price")]
    PriceAsc,
    PriceDesc,
    /// By the last time that their prices changed; those whose price is the first one stand last, both ways.
    PriceChangedAsc,
    PriceChangedDesc,
    /// By the units sold in the last 28 days that are over.
    SoldAsc,
    #[strum(to_string = "sold_desc", serialize = "sold")]
    SoldDesc,
    /// By how these changed, in percent, against the 28 days before; what sold nothing before and something now
    /// rose most.
    ChangeAsc,
    ChangeDesc,
    /// By how net sales moved between the two.
    #[strum(to_string = "moved_asc", serialize = "falling")]
    MovedAsc,
    #[strum(to_string = "moved_desc", serialize = "rising")]
    MovedDesc,
    /// By how long the stock lasts; what does not sell stands last, both ways.
    #[strum(to_string = "cover_asc", serialize = "cover")]
    CoverAsc,
    CoverDesc,
    /// By the sales that the stock does not suffice for; of products that are low alone.
    AtRiskAsc,
    #[strum(to_string = "at_risk_desc", serialize = "at_risk")]
    AtRiskDesc,
}

/// What products are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProductColumn {
    Name,
    Category,
    Status,
    Stock,
    Price,
    PriceChanged,
    Sold,
    Change,
    Moved,
    Cover,
    AtRisk,
}

impl ProductSort {
    /// For each column the way that most people mean first.
    pub const ALL: [Self; 22] = [
        Self::NameAsc,
        Self::NameDesc,
        Self::CategoryAsc,
        Self::CategoryDesc,
        Self::StatusAsc,
        Self::StatusDesc,
        Self::StockAsc,
        Self::StockDesc,
        Self::PriceAsc,
        Self::PriceDesc,
        Self::PriceChangedDesc,
        Self::PriceChangedAsc,
        Self::SoldDesc,
        Self::SoldAsc,
        Self::ChangeDesc,
        Self::ChangeAsc,
        Self::MovedDesc,
        Self::MovedAsc,
        Self::CoverAsc,
        Self::CoverDesc,
        Self::AtRiskDesc,
        Self::AtRiskAsc,
    ];

    pub fn as_str(self) -> &'static str {
        self.into()
    }

    pub fn column(self) -> ProductColumn {
        match self {
            Self::NameAsc | Self::NameDesc => ProductColumn::Name,
            Self::CategoryAsc | Self::CategoryDesc => ProductColumn::Category,
            Self::StatusAsc | Self::StatusDesc => ProductColumn::Status,
            Self::StockAsc | Self::StockDesc => ProductColumn::Stock,
            Self::PriceAsc | Self::PriceDesc => ProductColumn::Price,
            Self::PriceChangedAsc | Self::PriceChangedDesc => ProductColumn::PriceChanged,
            Self::SoldAsc | Self::SoldDesc => ProductColumn::Sold,
            Self::ChangeAsc | Self::ChangeDesc => ProductColumn::Change,
            Self::MovedAsc | Self::MovedDesc => ProductColumn::Moved,
            Self::CoverAsc | Self::CoverDesc => ProductColumn::Cover,
            Self::AtRiskAsc | Self::AtRiskDesc => ProductColumn::AtRisk,
        }
    }

    pub fn is_descending(self) -> bool {
        self.as_str().ends_with("_desc")
    }

    /// Whether it sorts by what is known of products that are low, and of no others.
    pub fn is_of_low_stock(self) -> bool {
        self.column() == ProductColumn::AtRisk
    }
}

fn refuse_product_sort(text: &str) -> FieldError {
    FieldError::unknown("sort", text, ProductSort::VARIANTS)
}

/// Which products to list, by their stock.
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
#[strum(serialize_all = "snake_case", parse_err_ty = FieldError, parse_err_fn = refuse_stock_level)]
pub enum StockLevel {
    /// At or below its threshold, or sold out within a week.
    Low,
}

impl StockLevel {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

fn refuse_stock_level(text: &str) -> FieldError {
    FieldError::unknown("stock", text, StockLevel::VARIANTS)
}

/// Which products to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProductQuery {
    /// Part of the name, in any case, with or without accents.
    pub search: Option<String>,
    pub status: Option<ProductStatus>,
    /// In letters as they are; any if left out.
    pub category: Option<String>,
    /// Any if left out.
    pub stock: Option<StockLevel>,
    pub sort: ProductSort,
    /// Where the page before ended.
    pub after: Option<Position>,
}

/// What runs out, and what that costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct StockCover {
    /// The product's, or else its vendor's.
    pub threshold: i64,
    /// Stock ÷ average daily units of the last 28 days, to one decimal; `null` when nothing sold in them.
    pub days_of_cover: Option<f64>,
    /// Net sales of the next 28 days that the stock does not suffice for, if they are like the last 28; minor units.
    pub sales_at_risk: i64,
}

/// Units of a product, less those that came back. Of days that are over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RecentSales {
    /// Of the last 28 days.
    pub units: i64,
    /// Of the 28 before those.
    pub previous_units: i64,
}

/// The last time that a product's price changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PriceChange {
    pub changed_at: Timestamp,
    /// What it was until then, in minor units.
    pub previous_price: i64,
}

impl ProductQuery {
    /// Whether something has to be looked up for every product that matches before the first is known, however few are
    /// shown. All else stands in the products' own rows, or is read once for all products of a vendor: a pass over the
    /// sums of 56 days, which takes as long however few match.
    pub fn reads_all(&self) -> bool {
        self.sort.column() == ProductColumn::PriceChanged
    }
}

/// What the products of a list come to, on all of its pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProductSums {
    pub products: i64,
    /// Units in stock.
    pub stock: i64,
    /// Stock × price of each, in minor units; `null` where it is more than 9,223,372,036,854,775,807.
    pub stock_value: Option<i64>,
    pub recent: RecentSales,
    /// Only where those that are low were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sales_at_risk: Option<i64>,
}

/// The most products that are summed up for a list, or sorted by what is looked up for each.
pub const MOST_SUMMED: i64 = 5_000;

/// One page of a vendor's products.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProductPage {
    pub products: Vec<Product>,
    /// One for each of `products`, in the same order.
    pub covers: Vec<StockCover>,
    /// One for each of `products`, in the same order.
    pub recent: Vec<RecentSales>,
    /// One for each of `products`, in the same order; `null` where its price is the first one.
    pub price_changes: Vec<Option<PriceChange>>,
    /// `null` where more than 5,000 products match.
    pub sums: Option<ProductSums>,
    /// Give it back as `after` to read on; `null` on the last page.
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_sorted_by_both_ways_and_older_names_are_still_understood() {
        let sorts = ProductSort::VARIANTS.iter().map(|name| name.parse::<ProductSort>().expect("a name"));
        assert!(sorts.clone().all(|sort| ProductSort::ALL.contains(&sort)));
        assert_eq!(ProductSort::VARIANTS.len(), ProductSort::ALL.len());
        let (down, up): (Vec<_>, Vec<_>) = sorts.partition(|sort| sort.is_descending());
        let columns = |sorts: Vec<ProductSort>| sorts.into_iter().map(ProductSort::column).collect::<Vec<_>>();
        assert_eq!(columns(down), columns(up));
        for (older, name) in [
            ("name", "name_asc"),
            ("stock", "stock_asc"),
            ("price", "price_asc"),
            ("cover", "cover_asc"),
            ("at_risk", "at_risk_desc"),
            ("sold", "sold_desc"),
            ("rising", "moved_desc"),
            ("falling", "moved_asc"),
        ] {
            assert_eq!(older.parse::<ProductSort>().expect("a name").as_str(), name);
        }
        assert_eq!(ProductSort::default().as_str(), "name_asc");
    }
}
