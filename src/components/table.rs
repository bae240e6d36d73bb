//! Tables, all of them built here: one kind of view for every table keeps the browser's half small.

use std::borrow::Cow;

use leptos::prelude::*;

use super::written::written;

/// What a column is called and how it is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Empty for a column that only repeats another one as a drawing.
    name: &'static str,
    class: &'static str,
    sorting: Option<Sorting>,
    is_named: bool,
}

/// A way to sort a table by one of its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sorting {
    /// The same table sorted by the column, or the other way round where it is already.
    pub href: String,
    /// How the table is sorted by the column now, if it is: `ascending` or `descending`.
    pub now: Option<&'static str>,
}

impl Column {
    pub fn text(name: &'static str) -> Self {
        Self::classed(name, "")
    }

    pub fn number(name: &'static str) -> Self {
        Self::classed(name, "number")
    }

    pub fn classed(name: &'static str, class: &'static str) -> Self {
        Self { name, class, sorting: None, is_named: false }
    }

    /// Its heading leads to the table sorted by it.
    pub fn sorting(self, sorting: Option<Sorting>) -> Self {
        Self { sorting, ..self }
    }

    /// Each cell says what it is where rows are stacked, and no heading does.
    pub fn named(self) -> Self {
        Self { is_named: true, ..self }
    }

    fn heading(&self) -> AnyView {
        let (name, class) = (self.name, self.class);
        match self.sorting.clone() {
            None if name.is_empty() => view! { <td></td> }.into_any(),
            None => view! { <th scope="col" class=class>{name}</th> }.into_any(),
            Some(Sorting { href, now }) => {
                let arrow = now.map(|now| if now == "descending" { " ↓" } else { " ↑" });
                let arrow = arrow.map(|arrow| view! { <span aria-hidden="true">{arrow}</span> });
                view! { <th scope="col" class=class aria-sort=now><a class="rows" href=href>{name}{arrow}</a></th> }
                    .into_any()
            }
        }
    }
}

/// The content of a cell.
pub enum Cell {
    Text(String),
    /// What somebody has written.
    Written(String),
    /// What somebody has written, or an id, with a page of its own.
    Link {
        href: String,
        text: String,
    },
    View(AnyView),
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<AnyView> for Cell {
    fn from(view: AnyView) -> Self {
        Self::View(view)
    }
}

impl Cell {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) | Self::Written(text) if text.is_empty())
    }

    fn into_view(self) -> AnyView {
        match self {
            Self::Text(text) => text.into_any(),
            Self::Written(text) => written(text),
            Self::Link { href, text } => view! { <a class="clip" href=href dir="auto">{text}</a> }.into_any(),
            Self::View(view) => view,
        }
    }
}

/// A row; the first cell is its heading.
pub struct Row {
    /// What it is known by in a list that is brought up to date while somebody looks at it: whatever is done to the row
    /// stays with it when others come in above.
    pub id: Option<String>,
    /// Empty for none.
    pub class: &'static str,
    pub cells: Vec<Cell>,
}

impl From<Vec<Cell>> for Row {
    fn from(cells: Vec<Cell>) -> Self {
        Self { id: None, class: "", cells }
    }
}

/// A table of any shape. Its headings are always there for those who listen, and seen unless `class` is `bars`.
pub fn table(
    class: &'static str,
    columns: Vec<Column>,
    rows: Vec<Row>,
    foot: impl IntoIterator<Item = Row>,
) -> AnyView {
    let head = columns.iter().map(Column::heading).collect::<Vec<_>>();
    let rows = rows.into_iter().map(|one| row(one, &columns)).collect::<Vec<_>>();
    let foot = foot.into_iter().map(|one| row(one, &columns)).collect::<Vec<_>>();
    let foot = (!foot.is_empty()).then(|| view! { <tfoot>{foot}</tfoot> });
    view! {
        <table class=class>
            <thead><tr>{head}</tr></thead>
            <tbody>{rows}</tbody>
            {foot}
        </table>
    }
    .into_any()
}

fn row(row: Row, columns: &[Column]) -> AnyView {
    let cells = row
        .cells
        .into_iter()
        .zip(columns)
        .enumerate()
        .map(|(i, (cell, column))| {
            let is_named = column.is_named && !cell.is_empty();
            let name = is_named.then(|| view! { <span class="told">{column.name} " "</span> });
            match i {
                0 => view! { <th scope="row" class=column.class>{name} {cell.into_view()}</th> }.into_any(),
                _ => view! { <td class=column.class>{name} {cell.into_view()}</td> }.into_any(),
            }
        })
        .collect::<Vec<_>>();
    view! { <tr id=row.id class=row.class>{cells}</tr> }.into_any()
}

/// A table that may be wider, or longer, than the room it has. It can be scrolled with the keyboard.
pub fn scrolling(class: &'static str, label: impl Into<Cow<'static, str>>, table: AnyView) -> AnyView {
    let label = label.into();
    view! { <div class=class role="region" aria-label=label tabindex="0">{table}</div> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::html;

    #[test]
    fn the_first_cell_of_a_row_is_its_heading_and_texts_are_escaped() {
        let html = Owner::new().with(|| {
            let columns = vec![Column::text("Product"), Column::classed("", "drawn"), Column::number("Stock")];
            let cells = vec![
                Cell::Link { href: "/products/1".to_owned(), text: "<b>".to_owned() },
                String::new().into(),
                "7".to_owned().into(),
            ];
            html(table("plain", columns, vec![cells.into()], None))
        });
        assert!(
            html.contains(
                "<th scope=\"row\" class=\"\"><a href=\"/products/1\" dir=\"auto\" class=\"clip\">&lt;b&gt;</a></th>"
            ),
            "{html}"
        );
        assert!(html.contains("<td class=\"number\">7</td>"), "{html}");
        assert_eq!(html.matches("scope=\"col\"").count(), 2, "a drawing needs no heading: {html}");
    }
}
