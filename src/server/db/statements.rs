//! Statements and their parameters.

use sqlx::{Any, AssertSqlSafe, query::Query};

/// Parameters of one statement, bound in order.
pub type Arguments<'q> = Query<'q, Any, sqlx::any::AnyArguments>;

/// A statement and its parameters. The texts are this program's own, never a caller's: what callers send is bound.
pub fn sql<'q>(text: impl Into<String>) -> Arguments<'q> {
    sqlx::query(AssertSqlSafe(text.into()))
}

/// Parameters of a statement that is put together from pieces. Each is given out as the place that stands for it.
#[derive(Clone, Default)]
pub struct Parameters(Vec<Parameter>);

#[derive(Clone)]
enum Parameter {
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Parameters {
    pub(super) fn int(&mut self, value: i64) -> String {
        self.push(Parameter::Integer(value))
    }

    pub(super) fn text(&mut self, value: impl Into<String>) -> String {
        self.push(Parameter::Text(value.into()))
    }

    pub(super) fn bytes(&mut self, value: Vec<u8>) -> String {
        self.push(Parameter::Bytes(value))
    }

    /// For [`Dialect::listed`](super::Dialect::listed).
    pub(super) fn ids(&mut self, ids: impl Iterator<Item = i64>) -> String {
        self.text(ids.map(|id| id.to_string()).collect::<Vec<_>>().join(","))
    }

    fn push(&mut self, parameter: Parameter) -> String {
        self.0.push(parameter);
        format!("${}", self.0.len())
    }

    pub(super) fn bind(self, text: String) -> Arguments<'static> {
        self.0.into_iter().fold(sql(text), |query, parameter| match parameter {
            Parameter::Integer(value) => query.bind(value),
            Parameter::Text(value) => query.bind(value),
            Parameter::Bytes(value) => query.bind(value),
        })
    }
}
