//! Compiling a board: what is kept, and what goes wrong by name.

mod common;

use common::{source, ECHO};
use firstspike_sim::verilator::{compile, Stage, Tools};
use firstspike_sim::SimError;
use std::ffi::OsStr;
use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

fn tools() -> Tools {
    Tools::find().expect("Verilator is there")
}

/// Compiles for the error, and sees to it that nothing but locks and logs is left.
fn failure(verilog: &str, cache: &Path) -> SimError {
    let result = compile(&source(verilog), cache, &tools(), &mut |_| {
        ControlFlow::Continue(())
    });
    assert_eq!(left_over(cache), Vec::<String>::new());
    result.err().expect("it does not compile")
}

/// The names in the cache of compiled boards and of what might be taken for one.
fn left_over(cache: &Path) -> Vec<String> {
    fs::read_dir(cache)
        .expect("the cache is there")
        .map(|entry| {
            entry
                .expect("it can be read")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .filter(|name| !name.ends_with(".lock") && !name.ends_with(".failed.log"))
        .filter(|name| !name.starts_with("runtime-"))
        .collect()
}

#[test]
fn a_board_is_compiled_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let compilations = AtomicUsize::new(0);
    let get = || {
        let mut compiled = false;
        let library = compile(&source(ECHO), folder.path(), &tools(), &mut |stage| {
            compiled |= stage == Stage::Compiling;
            ControlFlow::Continue(())
        });
        library.expect("the board compiles");
        compilations.fetch_add(usize::from(compiled), Ordering::Relaxed);
    };
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(get);
        }
    });
    get();
    assert_eq!(compilations.load(Ordering::Relaxed), 1);
    assert_eq!(left_over(folder.path()).len(), 1);
}

#[test]
fn what_is_left_of_a_killed_compilation_does_no_harm() {
    let folder = tempfile::tempdir().expect("a folder");
    let stop = |_| ControlFlow::Break(());
    let stopped = compile(&source(ECHO), folder.path(), &tools(), &mut { stop });
    assert!(matches!(stopped, Err(SimError::Interrupted)));
    assert_eq!(left_over(folder.path()), Vec::<String>::new());

    let lock = fs::read_dir(folder.path())
        .expect("the cache is there")
        .map(|entry| entry.expect("it can be read").path())
        .find(|path| path.extension() == Some(OsStr::new("lock")));
    let partial = lock.expect("a lock").with_extension("partial");
    fs::create_dir(&partial).expect("a folder");
    fs::write(partial.join("libboard.so"), "half a library").expect("a file");
    compile(&source(ECHO), folder.path(), &tools(), &mut |_| {
        ControlFlow::Continue(())
    })
    .expect("the board compiles");
    assert!(!partial.exists());
}

#[test]
fn the_second_board_takes_over_the_runtime_of_the_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime_compiled = |verilog: &str, known: &[String]| {
        let library = compile(&source(verilog), folder.path(), &tools(), &mut |_| {
            ControlFlow::Continue(())
        });
        library.expect("the board compiles");
        let mut boards = left_over(folder.path());
        boards.retain(|name| !known.contains(name));
        let log = folder.path().join(&boards[0]).join("build.log");
        let log = fs::read_to_string(log).expect("the log is there");
        (log.contains("-o verilated.o"), boards)
    };
    let (first, boards) = runtime_compiled(ECHO, &[]);
    let (second, _) = runtime_compiled(&ECHO.replace("full;", "!full;"), &boards);
    assert_eq!((first, second), (true, false));
}

#[test]
fn an_error_in_the_verilog_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = failure(&ECHO.replace("endmodule", "endmodul"), folder.path());
    let SimError::Compile { step, first, log } = &error else {
        panic!("{error}");
    };
    assert_eq!(*step, "Verilator");
    assert!(
        first.contains("board.v") && first.contains("syntax error"),
        "{first}"
    );
    assert!(fs::read_to_string(log)
        .expect("the log is there")
        .contains(first));
}

#[test]
fn a_missing_port_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = failure(&ECHO.replace("uart_tx", "serial_out"), folder.path());
    let SimError::Compile { step, first, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(*step, "compiling the virtual board");
    assert!(first.contains("uart_tx"), "{first}");
}

#[test]
fn a_missing_tool_is_named_with_its_package() {
    let error = Tools::find_in(OsStr::new(""))
        .expect_err("nothing is there")
        .to_string();
    assert!(
        error.contains("`verilator`") && error.contains("package verilator"),
        "{error}"
    );
}

#[test]
fn an_old_verilator_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    for tool in ["verilator", "make", "g++"] {
        let path = folder.path().join(tool);
        fs::write(
            &path,
            "#!/bin/sh\necho Verilator 4.038 2020-07-11 rev v4.036\n",
        )
        .expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it may run");
    }
    let error = Tools::find_in(folder.path().as_os_str())
        .expect_err("it is too old")
        .to_string();
    assert!(error.contains("Verilator 4.038"), "{error}");
}

#[test]
fn a_folder_with_a_space_in_its_name_is_refused_by_a_sentence_that_names_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("my cache");
    // make is not fooled by a link to it.
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&cache, &link).unwrap();
    std::fs::create_dir(&cache).unwrap();
    for cache in [cache, link] {
        let result = compile(&source(ECHO), &cache, &tools(), &mut |_| {
            ControlFlow::Continue(())
        });
        let error = result.map(|_| ()).unwrap_err().to_string();
        assert!(
            error.contains("my cache has a space in its name") && error.contains("XDG_CACHE_HOME"),
            "{error}"
        );
        assert_eq!(std::fs::read_dir(&cache).unwrap().count(), 0);
    }
}
