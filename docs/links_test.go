package docs

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var link = regexp.MustCompile(`\]\(([^()\s]+)\)`)

// TestLinks checks that the files that pages link to exist, and the headings. Links to other sites are not fetched.
func TestLinks(t *testing.T) {
	checked := 0
	for _, page := range pages(t) {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range link.FindAllStringSubmatch(withoutBlocks(string(content)), -1) {
			target, err := url.Parse(found[1])
			if err != nil {
				t.Errorf("%s: %v", page, err)
				continue
			}
			if target.IsAbs() {
				continue
			}
			checked++
			checkLink(t, page, target)
		}
	}
	if checked < 20 {
		t.Errorf("checked only %d links", checked)
	}
}

func checkLink(t *testing.T, page string, target *url.URL) {
	file := page
	if target.Path != "" {
		file = filepath.Join(filepath.Dir(page), target.Path)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Errorf("%s links to %s: %v", page, target, err)
		return
	}
	if target.Fragment == "" || info.IsDir() || filepath.Ext(file) != ".md" {
		return
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(withoutBlocks(string(content))) {
		if heading := strings.TrimLeft(line, "#"); heading != line && anchor(heading) == target.Fragment {
			return
		}
	}
	t.Errorf("%s links to %s: there is no such heading", page, target)
}

// anchor returns the name that a heading has in links, by GitHub's rule.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, strings.TrimSpace(heading))
}

// withoutBlocks returns a page without its fenced blocks, in which a # is not a heading.
func withoutBlocks(content string) string {
	var kept strings.Builder
	inBlock := false
	for line := range strings.Lines(content) {
		if strings.HasPrefix(line, "```") {
			inBlock = !inBlock
		} else if !inBlock {
			kept.WriteString(line)
		}
	}
	return kept.String()
}
