use leptos::{
    prelude::document,
    wasm_bindgen::{JsCast, JsValue},
};
use web_sys::{Element, Node};

use super::dom::set;

/// Makes `old` like `new`, element by element, so that whatever stays keeps its focus, its place, what was typed into
/// it and whether it is open. Texts that change are marked for a moment where `mark` is true.
///
/// Islands are left to themselves. So are attributes that scripts have added to an element with `data-own`.
pub fn morph(old: &Element, new: &Element, mark: bool) {
    copy_attributes(old, new);
    let (mut at, mut next) = (old.first_child(), new.first_child());
    while let Some(wanted) = next {
        next = wanted.next_sibling();
        match at.take() {
            Some(present) if is_alike(&present, &wanted) => {
                at = present.next_sibling();
                become_like(&present, &wanted, mark);
            }
            Some(present) => {
                // It stands further below: what is above it has gone, or something has come in above.
                if let Some(moved) = below(&present, &wanted) {
                    _ = old.insert_before(&moved, Some(&present));
                    become_like(&moved, &wanted, mark);
                    at = Some(present);
                } else if let Ok(copy) = document().import_node_with_deep(&wanted, true) {
                    // What has an id may be wanted further below; if not, it goes in the end.
                    if id(&present).is_empty() {
                        at = present.next_sibling();
                        _ = old.replace_child(&copy, &present);
                    } else {
                        _ = old.insert_before(&copy, Some(&present));
                        at = Some(present);
                    }
                }
            }
            None => {
                if let Ok(copy) = document().import_node_with_deep(&wanted, true) {
                    _ = old.append_child(&copy);
                }
            }
        }
    }
    while let Some(left) = at {
        at = left.next_sibling();
        _ = old.remove_child(&left);
    }
}

fn id(node: &Node) -> String {
    node.dyn_ref::<Element>().map(Element::id).unwrap_or_default()
}

fn is_alike(present: &Node, wanted: &Node) -> bool {
    present.node_name() == wanted.node_name() && id(present) == id(wanted)
}

/// The element of the same id among those that follow.
fn below(present: &Node, wanted: &Node) -> Option<Node> {
    if id(wanted).is_empty() {
        return None;
    }
    let mut next = present.next_sibling();
    while let Some(node) = next {
        if is_alike(&node, wanted) {
            return Some(node);
        }
        next = node.next_sibling();
    }
    None
}

fn become_like(present: &Node, wanted: &Node, mark: bool) {
    match (present.dyn_ref::<Element>(), wanted.dyn_ref::<Element>()) {
        (Some(present), Some(wanted)) => {
            if !matches!(present.tag_name().as_str(), "LEPTOS-ISLAND" | "SCRIPT") {
                morph(present, wanted, mark);
            }
        }
        _ => {
            let text = wanted.node_value();
            if present.node_value() != text {
                present.set_node_value(text.as_deref());
                if let Some(around) = present.parent_element().filter(|_| mark) {
                    _ = around.class_list().add_1("fresh");
                }
            }
        }
    }
}

fn copy_attributes(old: &Element, new: &Element) {
    let names = |element: &Element| {
        element.get_attribute_names().iter().filter_map(|name| name.as_string()).collect::<Vec<_>>()
    };
    for name in names(new) {
        let value = new.get_attribute(&name);
        if name != "open" && old.get_attribute(&name) != value {
            set(old, &name, value.as_deref().unwrap_or_default());
            choose(old, &name);
        }
    }
    if !old.has_attribute("data-own") {
        for name in names(old) {
            if name != "open" && !new.has_attribute(&name) {
                _ = old.remove_attribute(&name);
            }
        }
    }
}

/// An option that the page says is chosen is chosen.
fn choose(element: &Element, name: &str) {
    if name == "selected" {
        _ = js_sys::Reflect::set(element, &JsValue::from_str("selected"), &JsValue::TRUE);
    }
}
