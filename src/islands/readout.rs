use std::{cell::Cell, rc::Rc};

use leptos::{prelude::document, wasm_bindgen::JsCast};
use web_sys::{Element, Event, HtmlElement, KeyboardEvent, PointerEvent};

use super::dom::{find_in, listen, set, set_text, target};

/// The parts of a line of `data-marks`, one for each point of the chart.
struct Mark {
    now: String,
    now_y: String,
    before: String,
    before_y: String,
    difference: String,
}

/// Lets the chart in this `<figure>` be read.
pub fn attach(figure: Element) {
    let Some(canvas) = find_in(&figure, ".canvas") else { return };
    let chart = Rc::new(Chart { figure, active: Cell::new(None) });
    chart.describe(&canvas);

    let by = chart.clone();
    let point = move |event: PointerEvent| {
        let Some(canvas) = event.current_target().and_then(|target| target.dyn_into::<HtmlElement>().ok()) else {
            return;
        };
        let width = f64::from(canvas.offset_width());
        let last = by.marks().len().saturating_sub(1);
        if width > 0.0 {
            let place = (f64::from(event.offset_x()) / width).clamp(0.0, 1.0);
            let at = if by.has_bars() { (place * (last + 1) as f64).floor() } else { (place * last as f64).round() };
            by.show(Some((at as usize).min(last)));
        }
    };
    // A tap shows a point and it stays; a mouse shows what it is over.
    listen(&canvas, "pointerdown", point.clone());
    listen(&canvas, "pointermove", point);
    let by = chart.clone();
    listen(&canvas, "pointerleave", move |event: PointerEvent| {
        if event.pointer_type() == "mouse" {
            by.show(None);
        }
    });
    let by = chart.clone();
    listen(&document(), "pointerdown", move |event: Event| {
        if target(&event).is_none_or(|target| !by.figure.contains(Some(&target))) {
            by.show(None);
        }
    });
    let by = chart.clone();
    listen(&canvas, "blur", move |_: Event| by.show(None));
    let by = chart.clone();
    listen(&canvas, "keydown", move |event: KeyboardEvent| {
        let last = by.marks().len().saturating_sub(1);
        let next = match (event.key().as_str(), by.active.get()) {
            ("ArrowRight" | "ArrowUp", Some(i)) => Some((i + 1).min(last)),
            ("ArrowLeft" | "ArrowDown", Some(i)) => Some(i.saturating_sub(1)),
            ("ArrowRight" | "ArrowUp" | "Home", _) => Some(0),
            ("ArrowLeft" | "ArrowDown" | "End", _) => Some(last),
            ("Escape", Some(_)) => None,
            _ => return,
        };
        event.prevent_default();
        by.show(next);
    });
    // What was read stays read when the page was brought up to date.
    listen(&document(), "shown", move |_: Event| {
        chart.describe(&canvas);
        chart.show(chart.active.get());
    });
}

struct Chart {
    figure: Element,
    active: Cell<Option<usize>>,
}

impl Chart {
    /// Whether a point has a stretch of the width, and not a place on it.
    fn has_bars(&self) -> bool {
        find_in(&self.figure, ".lines").is_some_and(|lines| lines.has_attribute("data-bars"))
    }

    fn marks(&self) -> Vec<Mark> {
        let text =
            find_in(&self.figure, ".lines").and_then(|lines| lines.get_attribute("data-marks")).unwrap_or_default();
        let lines = text.lines().map(|line| {
            let mut parts = line.split('\t').map(str::to_owned);
            let mut part = || parts.next().unwrap_or_default();
            Mark { now: part(), now_y: part(), before: part(), before_y: part(), difference: part() }
        });
        lines.collect()
    }

    /// A slider to those who listen: its value is the point that is read.
    fn describe(&self, canvas: &Element) {
        set(canvas, "tabindex", "0");
        set(canvas, "role", "slider");
        set(canvas, "aria-label", crate::words::READ_THE_CHART);
        set(canvas, "aria-valuemin", "1");
        set(canvas, "aria-valuemax", &self.marks().len().max(1).to_string());
        if self.active.get().is_none() {
            set(canvas, "aria-valuenow", "1");
        }
    }

    fn show(&self, point: Option<usize>) {
        let marks = self.marks();
        let point = point.filter(|point| *point < marks.len());
        self.active.set(point);
        let key = |name: &str, text: Option<&str>| {
            let key = find_in(&self.figure, name);
            let idle = key.as_ref().and_then(|key| key.get_attribute("data-idle")).unwrap_or_default();
            set_text(key, text.unwrap_or(&idle));
        };
        let mark = point.map(|point| &marks[point]);
        key(".key.now", mark.map(|mark| mark.now.as_str()));
        key(".key.before", mark.map(|mark| mark.before.as_str()));
        key(".difference", mark.map(|mark| mark.difference.as_str()));
        let Some(lines) = find_in(&self.figure, ".lines") else { return };
        _ = lines.class_list().toggle_with_force("read", mark.is_some());
        let (Some(mark), Some(point)) = (mark, point) else { return };
        let x = match marks.len() {
            count if self.has_bars() => (point as f64 + 0.5) / count as f64 * 100.0,
            0..2 => 50.0,
            count => point as f64 / (count - 1) as f64 * 100.0,
        };
        let x = format!("{x}%");
        if let Some(cursor) = find_in(&lines, ".cursor") {
            set(&cursor, "x1", &x);
            set(&cursor, "x2", &x);
        }
        for (name, y) in [(".at.now", &mark.now_y), (".at.before", &mark.before_y)] {
            if let Some(dot) = find_in(&lines, name) {
                set(&dot, "cx", &x);
                // Far outside: where there is no value there is no dot.
                set(&dot, "cy", if y.is_empty() { "-99" } else { y });
            }
        }
        if let Some(canvas) = find_in(&self.figure, ".canvas") {
            set(&canvas, "aria-valuenow", &(point + 1).to_string());
            let parts = [&mark.now, &mark.before, &mark.difference];
            let spoken: Vec<&str> = parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
            set(&canvas, "aria-valuetext", &spoken.join("; "));
        }
    }
}
