//! The back end of networks: what is hoisted, planned and split into units computes what the graph says.

mod nets;

use kernforge_compiler::emit;
use kernforge_compiler::network::compile;

#[test]
fn networks_are_emitted() {
    for network in nets::all() {
        let compiled = compile(&network).unwrap_or_else(|e| panic!("{:?}", e.iter().collect::<Vec<_>>()));
        let tokens = emit::network::network(&network, &compiled)
            .unwrap_or_else(|e| panic!("{:?}", e.iter().collect::<Vec<_>>()));
        let file: syn::File = syn::parse2(tokens).unwrap_or_else(|e| panic!("{e}"));
        if std::env::var("SHOW").is_ok() {
            for e in &compiled.entries {
                println!("{}\n{}", e.kernel, e.plan);
            }
            println!("{}", compiled.prepare.kernel);
            println!("{}", prettyplease::unparse(&file));
        }
    }
}
