//! Code without a fence: whether a whole answer is code, and in which language.

use super::cursor::is_blank;
use crate::answer::language::Language;

/// How the first line of a file begins, and in which language.
const BEGINNINGS: &[(&str, &str)] = &[
    ("#!/usr/bin/env python", "python"),
    ("#!/usr/bin/python", "python"),
    ("#!/bin/bash", "bash"),
    ("#!/bin/sh", "bash"),
    ("#!/usr/bin/env bash", "bash"),
    ("#!/usr/bin/env node", "javascript"),
    ("<?php", "php"),
    ("<!DOCTYPE html", "html"),
    ("<!doctype html", "html"),
    ("<html", "html"),
    ("#include ", "cpp"),
    ("package main", "go"),
    ("use std::", "rust"),
    ("pub fn ", "rust"),
    ("fn ", "rust"),
    ("pub struct ", "rust"),
    ("def ", "python"),
    ("async def ", "python"),
    ("from __future__ import ", "python"),
    ("export interface ", "typescript"),
    ("export type ", "typescript"),
    ("export enum ", "typescript"),
    ("interface ", "typescript"),
    ("export default ", "javascript"),
    ("export const ", "javascript"),
    ("export function ", "javascript"),
    ("export class ", "javascript"),
    ("const ", "javascript"),
    ("function ", "javascript"),
    ("'use strict'", "javascript"),
    ("public class ", "java"),
    ("using System", "csharp"),
    ("CREATE TABLE ", "sql"),
    ("resource \"", "terraform"),
    ("provider \"", "terraform"),
    ("AWSTemplateFormatVersion:", "yaml"),
];

/// The language of an answer that is nothing but code; none where it is, or may be, prose. It must begin as a
/// file of the language begins, and hold no line that reads like a sentence.
pub(super) fn language(text: &str, hint: Option<&Language>) -> Option<Language> {
    let first = text.lines().find(|l| !is_blank(l))?;
    let is_markup =
        |hint: &Language| matches!(hint.as_str(), "html" | "xml" | "vue" | "svelte" | "tsx" | "php");
    if first.starts_with('<') && hint.is_some_and(|hint| !is_markup(hint)) && !first.starts_with("<?") {
        return None;
    }
    let by_line = language_of_line(first);
    if by_line.is_none() && !begins_code(first, hint) {
        return None;
    }
    let lines = || text.lines().filter(|l| !is_blank(l));
    let like_code = lines().filter(|l| is_like_code(l)).count();
    if like_code < 2 || lines().any(is_sentence) || like_code * 2 < lines().count() {
        return None;
    }
    hint.cloned().or_else(|| Language::new(by_line?).ok())
}

fn language_of_line(line: &str) -> Option<&'static str> {
    let by_beginning = BEGINNINGS.iter().find(|(start, _)| line.starts_with(start)).map(|(_, name)| *name);
    by_beginning.or_else(|| python_import(line)).filter(|_| !is_sentence(line))
}

fn python_import(line: &str) -> Option<&'static str> {
    let mut words = line.split_whitespace();
    let is_name =
        |w: Option<&str>| w.is_some_and(|w| w.chars().all(|c| c.is_alphanumeric() || "._,".contains(c)));
    let is_import = match words.next()? {
        "import" => is_name(words.next()) && matches!(words.next(), None | Some("as")),
        "from" => is_name(words.next()) && words.next() == Some("import"),
        _ => false,
    };
    is_import.then_some("python")
}

/// A line with which a file begins when the language is known beforehand.
fn begins_code(line: &str, hint: Option<&Language>) -> bool {
    let starts = [
        "import ",
        "from ",
        "class ",
        "@",
        "let ",
        "var ",
        "type ",
        "struct ",
        "enum ",
        "namespace ",
        "package ",
        "use ",
        "SELECT ",
        "INSERT ",
        "-- ",
        "//",
        "/*",
        "# ",
        "{",
        "[",
        "<",
        "module ",
        "require ",
        "variable \"",
    ];
    hint.is_some() && starts.iter().any(|s| line.starts_with(s)) && !is_sentence(line)
}

fn is_like_code(line: &str) -> bool {
    let text = line.trim();
    line.starts_with([' ', '\t'])
        || text.ends_with(['{', '}', ';', ')', ':', ',', '(', '[', ']', '>'])
        || text.starts_with(['#', '/', '@', '}', '<'])
        || text.contains(" = ")
        || language_of_line(line).is_some()
}

/// Several words outside a comment or indentation that begin with a capital and end with a full stop or
/// colon.
fn is_sentence(line: &str) -> bool {
    let text = line.trim_end();
    let ends = text.ends_with(['.', '!', '?', ':']);
    text.starts_with(|c: char| c.is_uppercase())
        && ends
        && text.split_whitespace().count() >= 4
        && !text.contains(['(', '{', '=', ';'])
}
