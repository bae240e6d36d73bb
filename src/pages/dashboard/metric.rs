use super::definitions::{self, Definition};
use crate::{
    charts::line::Unit,
    domain::{
        money::{Currency, divide_rounded},
        snapshot::{Point, Totals},
    },
};

/// A figure that has a course over time: what the chart shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Metric {
    #[default]
    NetSales,
    Payable,
    Orders,
    Average,
    Units,
    Customers,
    Returns,
}

impl Metric {
    /// In the order of their cards.
    pub const ALL: [Self; 7] =
        [Self::NetSales, Self::Payable, Self::Orders, Self::Average, Self::Units, Self::Customers, Self::Returns];

    /// By its name in an address; net sales where there is none.
    pub fn of(slug: Option<&str>) -> Self {
        Self::ALL.into_iter().find(|metric| Some(metric.slug()) == slug).unwrap_or_default()
    }

    pub fn slug(self) -> &'static str {
        match self {
            Self::NetSales => "net_sales",
            Self::Payable => "payable",
            Self::Orders => "orders",
            Self::Average => "average",
            Self::Units => "units",
            Self::Customers => "customers",
            Self::Returns => "returns",
        }
    }

    pub fn definition(self) -> Definition {
        match self {
            Self::NetSales => definitions::NET_SALES,
            Self::Payable => definitions::PAYABLE,
            Self::Orders => definitions::ORDERS,
            Self::Average => definitions::AVERAGE_ORDER_VALUE,
            Self::Units => definitions::UNITS,
            Self::Customers => definitions::CUSTOMERS,
            Self::Returns => definitions::RETURNS,
        }
    }

    pub fn unit(self, currency: Currency) -> Unit {
        match self {
            Self::Orders | Self::Units | Self::Customers => Unit::Count,
            Self::NetSales | Self::Payable | Self::Average | Self::Returns => Unit::Money(currency),
        }
    }

    /// `None`: there is none, such as an average of no orders.
    pub fn at(self, point: &Point) -> Option<i64> {
        match self {
            Self::NetSales => Some(point.net_sales),
            Self::Payable => Some(point.payable),
            Self::Orders => Some(point.orders),
            Self::Average => divide_rounded(point.net_sales, point.orders),
            Self::Units => Some(point.units),
            Self::Customers => point.customers,
            Self::Returns => Some(point.returns),
        }
    }

    pub fn total(self, totals: &Totals) -> Option<i64> {
        match self {
            Self::NetSales => Some(totals.net_sales),
            Self::Payable => Some(totals.payable),
            Self::Orders => Some(totals.orders),
            Self::Average => totals.average_order_value,
            Self::Units => Some(totals.units),
            Self::Customers => Some(totals.customers),
            Self::Returns => Some(totals.returns),
        }
    }
}

/// What `metric` may be in an address.
pub fn metric_names() -> Vec<&'static str> {
    Metric::ALL.map(Metric::slug).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_metric_or_means_net_sales() {
        for metric in Metric::ALL {
            assert_eq!(Metric::of(Some(metric.slug())), metric);
        }
        assert_eq!([Metric::of(None), Metric::of(Some("nonsense"))], [Metric::NetSales; 2]);
    }
}
