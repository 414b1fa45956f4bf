//! Templates: the engine's tags, the code in them, and what is around them.

use super::told;

/// Templates without a fault, by the manner of their tags.
const GOOD: &[(&str, &str)] = &[
    ("templates/a.html", "{% if a %}{{ \"{% if %}\" }}{# {% for %} #}{% endif %}\n"),
    ("templates/b.html", "{% raw %}{{ a {% if %}{% endraw %}{% set x %}b{% endset %}\n"),
    ("a.j2", "{{ {'a': {'b': 1}} }} {%- for x in y -%} it's {{ x }}{% else %}-{%- endfor %}\n"),
    // To Django a tag without an end is text.
    ("polls/templates/c.html", "{% load static %}{{ card.title }\n"),
    ("_config.md", "Write `{{` and then {% highlight x %}a{% endhighlight %}\n"),
    ("web/a.gohtml", "{{if .A}}{{ printf \"{{ %s }}\" .B }}{{ `{{ end }}` }}{{end}}\n"),
    ("chart/templates/a.yaml", "a: {{ .b }}\n{{- with .c }}\n  {{- toYaml . | nindent 2 }}\n{{- end }}\n"),
    ("chart/templates/b.yaml", "labels: {{- include \"x\" . | nindent 4 }}\n    extra: 1\n"),
    ("chart/templates/c.yaml", "{{ if .a }}\nspec:\n  b: 1\n{{ else }}\n    spec: 2\n{{ end }}\n"),
    (
        "a.hbs",
        "{{#if a}}{{~#each b as |c|~}}{{c}}{{else}}-{{/each}}{{^}}x{{/if}}{{!-- {{#x}} --}}{{> p}}{{{raw}}}\n",
    ),
    ("a.mustache", "{{^none}}{{name}}{{/none}}{{=<% %>=}}<%#a%>\n"),
    (
        "a.html.erb",
        "<%= form_with model: a do |f| -%>\n <%= { b: 1 }.to_json if c %>\n<% end %><%# end %><%% end %>\n",
    ),
    ("b.html.erb", "<% case a %>\n<% when 1 then %>x<% else %>y<% end %>\n<%= yield :head %>\n"),
    ("a.ejs", "<% if (a) { %><%- include('b', { c: 1 }) %><% } else { %>it's<% } %>\n<%# } %>\n"),
    ("database.yml", "a: <%= ENV.fetch(\"A\") { 5 } %>\n<% if b %>\nc: 1\n<% end %>\n"),
    ("cookiecutter.json", "{\"a\": \"{% if b %}c{% endif %}\", \"d\": [1, 2]}\n"),
    ("values.json", "{\n  {% if a %}\n  \"b\": 1,\n  {% endif %}\n  \"c\": {{ d }}\n}\n"),
    ("wf/a.yaml", "run: |\n  {%- if x %}\n  {{ range }}\nb: \"{% for %}\"\n"),
    ("docs/tags.txt", "Every {% for x in y %} needs its end.\n"),
    ("docs/tags.md", "`{{ if .a }}` and `{{ end }}`, then `{{ end }}`.\n"),
    ("a.sql", "select * from {{ ref('a') }} {% if b %} where (c {% endif %}\n"),
];

/// Templates with one fault, and the line of it.
const BAD: &[(&str, &str, u32)] = &[
    ("templates/a.html", "<ul>\n{% for x in y %}\n{% endif %}\n", 3),
    ("templates/b.html", "{% if a %}\n<p>{{ a.title }</p>\n{% endif %}\n", 2),
    ("a.j2", "{% if a %}\n{% for b in c %}\n{% endif %}\n", 2),
    ("chart/templates/a.yaml", "a: 1\nb: {{ .c\nd: {}\n", 2),
    ("chart/templates/b.yaml", "kind: A\nmetadata:\n  name: {{ .a }}\n   labels:\n    b: c\n", 4),
    ("chart/templates/c.yaml", "{{ if .a }}\nb: 1\n", 1),
    ("web/a.gohtml", "<p>{{ .A }}</p>\n{{ .B\n<b>{{ .C }}</b>\n", 2),
    ("a.hbs", "{{#if a}}\n<div>x</div>\n{{#each b}}{{this}}{{/each}}\n", 1),
    ("b.hbs", "{{#if a}}\n{{#each b}}\n{{/if}}\n", 2),
    ("a.html.erb", "<% if a %>\n<p>b</p>\n", 1),
    ("b.html.erb", "<%= form_with model: a do |f| %>\n<% end %>\n<% end %>\n", 3),
    ("a.ejs", "<p>\n<% if (a) { %>\nb\n", 2),
    ("b.ejs", "<p>\n<%= a b %>\n", 2),
    ("a.yaml.j2", "a: {{ b }}\nc:\n  d: 1\n   e: 2\n", 4),
    ("database.yml", "a: <%= b %>\nc:\n  d: 1\n   e: 2\n", 4),
    ("cookiecutter.json", "{\"a\": \"{% if b %}c{% endif %}\",\n \"d\": [1, 2\n}\n", 3),
];

#[test]
fn templates_without_a_fault_have_no_errors() {
    for (path, text) in GOOD {
        let errors: Vec<String> =
            told(&[(path, text)]).into_iter().filter(|t| t.contains(": error: ")).collect();
        assert!(errors.is_empty(), "{path} {text}: {errors:#?}");
    }
}

#[test]
fn a_fault_in_a_tag_in_its_code_or_around_it_is_an_error_near_its_line() {
    for (path, text, line) in BAD {
        let found = told(&[(path, text)]);
        let near = (line - 1..=line + 1).any(|line| {
            let start = format!("{path}:{line}:");
            found.iter().any(|told| told.starts_with(&start) && told.contains(": error: "))
        });
        assert!(near, "{path} {text}: {found:#?}");
    }
}
