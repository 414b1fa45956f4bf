//! The main job in one call, without an AWS account: a prompt becomes checked, stored code with a receipt.
//!
//! `make demo` runs it. With AWS credentials, `claude_code_aws::connect(Config::from_env()?)` gives the same client.

use claude_code_aws::{GenerateRequest, Generation, PicoUsd, Result, local};

const PROMPT: &str = "Write a Python function that checks whether a string is a palindrome, with tests.";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let directory = std::env::args().nth(1).unwrap_or_else(|| "claude-code-aws-demo".to_owned());
    let client = local::open(&directory).await?;
    println!("> {PROMPT}\n");
    let request = GenerateRequest::new(PROMPT).with_max_usd(PicoUsd::from_usd("0.05")?);
    let generation = client.generate(request).await?;
    for file in &generation.files {
        println!("── {}\n{}", file.path.as_deref().unwrap_or("(unnamed)"), file.content);
    }
    summarize(&generation, &directory);
    Ok(())
}

fn summarize(generation: &Generation, directory: &str) {
    println!("──");
    if generation.sample {
        println!("by       the local twin: a sample answer, written for this project; no model was asked");
    }
    let files: Vec<String> = generation
        .files
        .iter()
        .map(|file| format!("{} ({} bytes)", file.path.as_deref().unwrap_or("(unnamed)"), file.size()))
        .collect();
    println!("files    {}", files.join(", "));
    let errors = generation.diagnostics.len();
    let verdict = if generation.accepted { "accepted" } else { "rejected" };
    println!("checks   {verdict}: syntax, and what the files take from each other; {errors} findings");
    for item in &generation.receipt.items {
        let tokens = item.tokens.map_or(String::new(), |tokens| format!("{tokens} tokens"));
        let amount = item.usd.map_or("unpriced".to_owned(), |usd| usd.to_string());
        println!("cost     {:<26} {tokens:>11}  {amount:>10} dollars", item.what);
    }
    if let Some(cached) = &generation.cached {
        println!("cost     from the response cache, {} s old", cached.age_seconds);
    }
    println!("total    {}", generation.receipt.total());
    match &generation.s3_key {
        Some(key) => println!("stored   {directory}: {key}"),
        None => println!("stored   no"),
    }
    println!("id       {}", generation.id);
}
