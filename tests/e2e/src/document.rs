//! A file or a page in Chromium, as a person reads it. `tests/tools/browser/document.mjs` carries out these commands.

use std::path::Path;

use serde_json::{Value, json};

use crate::browser::Browser;

/// A tab that shows a file or a page.
#[derive(Debug)]
pub struct Document<'b> {
    browser: &'b mut Browser,
    tab: String,
}

/// Whether the scripts of a document run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scripts {
    /// Scripts run, the default of browsers.
    On,
    /// Scripts are turned off.
    Off,
}

impl<'b> Document<'b> {
    /// Opens a file in a window of this width.
    pub fn open(browser: &'b mut Browser, path: &Path, scripts: Scripts, width: u32) -> Self {
        let tab = format!("{} {scripts:?} {width}", path.display());
        let on = scripts == Scripts::On;
        browser.command(json!({"action": "read", "tab": tab, "path": path, "scripts": on, "width": width}));
        Self { browser, tab }
    }

    /// Opens the page of a server in a window of this width.
    pub fn visit(browser: &'b mut Browser, url: &str, width: u32) -> Self {
        let tab = format!("{url} {width}");
        browser.command(json!({"action": "visit", "tab": tab, "url": url, "width": width}));
        Self { browser, tab }
    }

    fn act(&mut self, mut what: Value) -> Value {
        what["tab"] = json!(self.tab);
        self.browser.command(what)
    }

    /// Shows it on a `screen` or in `print`, with the preference for `light` or `dark` colors.
    pub fn media(&mut self, media: &str, colors: &str) {
        self.act(json!({"action": "media", "media": media, "colors": colors}));
    }

    /// Types into the field with this label, replacing its text.
    pub fn write(&mut self, label: &str, text: &str) {
        self.act(json!({"action": "type", "label": label, "text": text}));
    }

    /// Chooses in the list with this label.
    pub fn choose(&mut self, label: &str, option: &str) {
        self.act(json!({"action": "choose", "label": label, "option": option}));
    }

    /// Clicks the button with this name.
    pub fn click(&mut self, button: &str) {
        self.act(json!({"action": "click", "button": button}));
    }

    /// Presses a key.
    pub fn press(&mut self, key: &str) {
        self.act(json!({"action": "press", "key": key}));
    }

    /// Waits until such an element is visible.
    pub fn wait_for(&mut self, selector: &str) {
        self.act(json!({"action": "wait", "selector": selector}));
    }

    /// The value of a JavaScript expression in the page.
    pub fn value(&mut self, of: &str) -> Value {
        self.act(json!({"action": "value", "of": of}))["value"].clone()
    }

    /// The texts of all visible elements that match a selector.
    pub fn shown(&mut self, selector: &str) -> Vec<String> {
        let shown = self.value(&format!(
            "[...document.querySelectorAll({})].filter((one) => one.checkVisibility()).map((one) => one.innerText)",
            json!(selector)
        ));
        serde_json::from_value(shown).unwrap()
    }

    /// The accessibility problems that axe finds, and the number of checks that had something to check.
    pub fn barriers(&mut self) -> (Vec<Value>, usize) {
        let seen = self.act(json!({"action": "axe"}));
        (seen["violations"].as_array().unwrap().clone(), seen["passes"].as_array().unwrap().len())
    }

    /// The text of each page that a printer would print, of A4.
    pub fn printed(&mut self) -> Vec<String> {
        serde_json::from_value(self.act(json!({"action": "print"}))).unwrap()
    }

    /// Takes a picture of its upper part.
    pub fn picture(&mut self, path: &Path, height: u32) {
        self.act(json!({"action": "picture", "path": path, "height": height}));
    }

    /// The requests of documents in this browser so far, except for the documents themselves.
    pub fn requested(&mut self) -> Vec<String> {
        serde_json::from_value(self.act(json!({"action": "requested"}))).unwrap()
    }

    /// The complaints of the browser so far.
    pub fn complaints(&mut self) -> Vec<String> {
        self.browser.complaints()
    }
}
