package perijove

import (
	"bufio"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A wordRule is a line of english.txt with words that texts must not contain.
type wordRule struct {
	words  *regexp.Regexp
	starts bool // only at the start of a comment
	line   string
}

// A prose is a piece of text for readers.
type prose struct {
	place, text string
	isDoc       bool // a doc or package comment, which starts a sentence
}

// TestEnglish checks that doc comments, package comments, texts of the program (errors, notices, help) and Markdown do
// not contain the words of english.txt.
func TestEnglish(t *testing.T) {
	rules, exceptions := readRules(t)
	var all []string
	for _, r := range rules {
		all = append(all, r.words.String())
	}
	any := regexp.MustCompile(strings.Join(all, "|")) // most texts have none
	used := map[string]bool{}
	count := 0
	for _, p := range allProse(t) {
		if count++; !any.MatchString(p.text) {
			continue
		}
		for _, r := range rules {
			text := p.text
			if r.starts {
				if !p.isDoc {
					continue
				}
				text, _, _ = strings.Cut(text, "\n")
			}
			found := r.words.FindString(text)
			if found == "" || isExcepted(exceptions, used, p, text) {
				continue
			}
			t.Errorf("%s: %q is refused by english.txt (%s): %.120q", p.place, found, r.line, p.text)
		}
	}
	if count < 5000 {
		t.Errorf("read only %d texts", count)
	}
	for _, e := range exceptions {
		if !used[e] {
			t.Errorf("english.txt: nothing needs the exception %q", e)
		}
	}
}

// isExcepted reports whether an exception names the file and a part of the text. It records the exception in used.
func isExcepted(exceptions []string, used map[string]bool, p prose, text string) bool {
	for _, e := range exceptions {
		file, part, _ := strings.Cut(e, ": ")
		if strings.HasPrefix(p.place, file+":") && strings.Contains(text, part) {
			used[e] = true
			return true
		}
	}
	return false
}

func readRules(t *testing.T) (rules []wordRule, exceptions []string) {
	f, err := os.Open("english.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		kind, rest, _ := strings.Cut(line, " ")
		switch kind {
		case "", "#":
		case "except":
			exceptions = append(exceptions, rest)
		case "word":
			rules = append(rules, wordRule{regexp.MustCompile(`(?i)\b(?:` + strings.ReplaceAll(rest, " ", `\s+`) + `)\b`), false, line})
		case "start":
			rules = append(rules, wordRule{regexp.MustCompile(`^(?:` + rest + `)\b`), true, line})
		default:
			t.Fatalf("english.txt: %q", line)
		}
	}
	return rules, exceptions
}

// allProse returns the texts of all Go and Markdown files, except tests, test data and generated folders.
func allProse(t *testing.T) []prose {
	var all []prose
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "testdata" || name == "node_modules" || name == "out" || strings.HasPrefix(name, ".") && name != "."):
			return fs.SkipDir
		case strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go"):
			all = append(all, goProse(t, filepath.ToSlash(file))...)
		case strings.HasSuffix(name, ".md"):
			all = append(all, markdownProse(t, filepath.ToSlash(file))...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// goProse returns the doc comments of a file, and its strings of several words.
func goProse(t *testing.T, file string) []prose {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, file, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var all []prose
	add := func(pos token.Pos, text string, isDoc bool) {
		all = append(all, prose{fmt.Sprintf("%s:%d", file, fset.Position(pos).Line), text, isDoc})
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		var doc *ast.CommentGroup
		switch n := n.(type) {
		case *ast.File:
			doc = n.Doc
		case *ast.FuncDecl:
			doc = n.Doc
		case *ast.GenDecl:
			doc = n.Doc
		case *ast.TypeSpec:
			doc = n.Doc
		case *ast.ValueSpec:
			doc = n.Doc
		case *ast.Field:
			doc = n.Doc
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); n.Kind == token.STRING && err == nil && strings.Count(text, " ") > 1 {
				add(n.Pos(), text, false)
			}
		}
		if doc != nil {
			add(doc.Pos(), doc.Text(), true)
		}
		return true
	})
	return all
}

// markdownProse returns the lines of a page outside of its fenced blocks. Each is joined with the next line, so that a
// rule of several words matches across a line break.
func markdownProse(t *testing.T, file string) []prose {
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []prose
	inBlock := false
	lines := strings.Split(string(content), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "```") {
			inBlock = !inBlock
		} else if !inBlock && line != "" {
			all = append(all, prose{fmt.Sprintf("%s:%d", file, i+1), strings.Join(lines[i:min(i+2, len(lines))], "\n"), false})
		}
	}
	return all
}
