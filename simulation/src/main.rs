//! Plays schedules until the time is over, and says what happened in them.
fn main() {
    let mut args = std::env::args().skip(1);
    let n: u64 = args.next().unwrap().parse().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let d: bool = args.next().is_some();
    let mut t = simulation::Tally::default();
    let b = std::time::Instant::now();
    for seed in if d { n..n+1 } else { 0..n } {
        let o = simulation::play(seed, dir.path(), d).unwrap();
        t.extend(&o.tally);
        if d { println!("{}", o.story.join("\n")); }
        if let Some(f) = o.failure { println!("seed {seed}: {f}"); if !d {break;} }
    }
    println!("{t}\n{:?}", b.elapsed());
}
