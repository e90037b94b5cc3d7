//! A crate without the standard library compiles with the runtime's default features off, and a network in it learns.

use std::env;
use std::process::Command;

#[test]
fn kernels_compile_and_networks_learn_without_std() {
    let tests = env!("CARGO_MANIFEST_DIR");
    // The target directory of this very run: what it compiled is not compiled again.
    let executable = env::current_exe().unwrap();
    let target = executable.ancestors().nth(3).expect("target/debug/deps/test");
    // Selected by itself the crate gets only the features it asks for.
    let output = Command::new(env!("CARGO"))
        .args(["run", "--offline", "--package", "kernforge-no-std", "--example", "on_line", "--target-dir"])
        .arg(target)
        .current_dir(tests)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
