//! The items of a Rust source file, wherever they stand.

/// An item, or a macro that is called where an item or a statement stands.
pub enum Found<'a> {
    /// `fn`, `impl`, …
    Item(&'a syn::Item),
    /// `gemm! { .. }`
    Macro(&'a syn::Macro),
}

/// All items in the order of the source: those of modules, and those inside the bodies of functions.
pub fn items(file: &syn::File) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    file.items.iter().for_each(|item| add(item, &mut found));
    found
}

fn add<'a>(item: &'a syn::Item, found: &mut Vec<Found<'a>>) {
    found.push(Found::Item(item));
    match item {
        syn::Item::Macro(call) => found.push(Found::Macro(&call.mac)),
        syn::Item::Mod(module) => module.content.iter().flat_map(|c| &c.1).for_each(|item| add(item, found)),
        syn::Item::Fn(function) => body(&function.block, found),
        syn::Item::Impl(block) => block.items.iter().for_each(|item| {
            if let syn::ImplItem::Fn(function) = item {
                body(&function.block, found);
            }
        }),
        _ => {}
    }
}

fn body<'a>(block: &'a syn::Block, found: &mut Vec<Found<'a>>) {
    for statement in &block.stmts {
        match statement {
            syn::Stmt::Item(item) => add(item, found),
            syn::Stmt::Macro(call) => found.push(Found::Macro(&call.mac)),
            syn::Stmt::Local(_) | syn::Stmt::Expr(..) => {}
        }
    }
}

/// The last word of an attribute's path is its name: `kernel` or `kernforge::kernel`.
fn is(attribute: &syn::Attribute, name: &str) -> bool {
    attribute.path().segments.last().is_some_and(|s| s.ident == name)
}

/// Takes an attribute from a list: its arguments, as the macro would see them.
pub fn take(attributes: &mut Vec<syn::Attribute>, name: &str) -> Option<proc_macro2::TokenStream> {
    let at = attributes.iter().position(|a| is(a, name))?;
    match attributes.remove(at).meta {
        syn::Meta::List(list) => Some(list.tokens),
        syn::Meta::Path(_) | syn::Meta::NameValue(_) => Some(proc_macro2::TokenStream::new()),
    }
}
