package docs

import (
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// A block is a fenced block of a page.
type block struct {
	language, info string
	text           string
	line, end      int // the lines of its fences, counted from 1
}

// name identifies a block by its page and its first line.
func (b block) name(page string) string {
	first, _, _ := strings.Cut(b.text, "\n")
	return path.Join("docs", filepath.ToSlash(page)) + ": " + first
}

// readBlocks returns the fenced blocks of a page.
func readBlocks(t *testing.T, page string) []block {
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var all []block
	var open *block
	for i, line := range strings.Split(string(content), "\n") {
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && open == nil:
			language, info, _ := strings.Cut(fence, " ")
			open = &block{language: language, info: info, line: i + 1}
		case isFence:
			open.end = i + 1
			open.text = strings.TrimSuffix(open.text, "\n")
			all = append(all, *open)
			open = nil
		case open != nil:
			open.text += line + "\n"
		}
	}
	if open != nil {
		t.Errorf("%s:%d: the block does not end", page, open.line)
	}
	return all
}
