//! The main job in one call, without an AWS account: a prompt becomes accepted, stored code with a receipt.
//!
//! `make demo` runs it. With AWS credentials, `claude_code_aws::connect(Config::from_env()?)` gives the same client.

use claude_code_aws::{GenerateRequest, Generation, PicoUsd, Result, local};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let directory = std::env::temp_dir().join("claude-code-aws-demo");
    let client = local::open(&directory).await?;
    let request = GenerateRequest::new(
        "Write a Python function that checks whether a string is a palindrome, with tests.",
    )
    .with_max_usd(PicoUsd::from_usd("0.05")?);
    let generation = client.generate(request).await?;
    print(&generation);
    println!("directory  {}", directory.display());
    Ok(())
}

fn print(generation: &Generation) {
    for file in &generation.files {
        println!("── {}\n{}", file.path.as_deref().unwrap_or("(unnamed)"), file.content);
    }
    println!("──");
    if generation.sample {
        println!("SAMPLE     written by this project, not by a model");
    }
    println!("accepted   {}", generation.accepted);
    println!("model      {} ({})", generation.model, generation.tier_reason);
    for file in &generation.files {
        println!("file       {} ({} bytes)", file.path.as_deref().unwrap_or("(unnamed)"), file.size());
    }
    println!("stored     {}", generation.s3_key.as_deref().unwrap_or("no"));
    println!("id         {}", generation.id);
    println!("tokens     {} in, {} out", generation.usage.prompt_tokens(), generation.usage.output_tokens);
    match generation.cached {
        Some(cached) => println!("cached     {} s ago", cached.age_seconds),
        None => print_items(generation),
    }
    println!("total      {}", generation.receipt.total());
}

fn print_items(generation: &Generation) {
    for item in &generation.receipt.items {
        let tokens = item.tokens.map_or(String::new(), |n| format!("{n} tokens "));
        let amount = item.usd.map_or("unpriced".to_owned(), |usd| usd.to_string());
        println!("receipt    {:?} {tokens}{amount}", item.what);
    }
}
