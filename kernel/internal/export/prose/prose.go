// Package prose turns the text of a notebook into comments of a program: its Markdown cells, and the comments in its code.
package prose

import (
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// Markdown returns the first heading of a Markdown text, and the text below it without its markup.
func Markdown(source string) (heading, text string) {
	var lines []string
	inFence := false
	for line := range strings.Lines(source) {
		line = strings.TrimRight(line, "\r\n")
		trimmed := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(trimmed, "```"):
			inFence = !inFence
		case inFence:
			lines = append(lines, "    "+line)
		case strings.HasPrefix(trimmed, "#") && strings.HasPrefix(strings.TrimLeft(trimmed, "#"), " "):
			heading = plainText(strings.TrimSpace(strings.TrimLeft(trimmed, "#")))
			lines = nil
		case strings.HasPrefix(trimmed, "<") || strings.HasPrefix(trimmed, "![") || strings.HasPrefix(trimmed, "|"):
		default:
			lines = append(lines, plainText(line))
		}
	}
	return heading, strings.TrimSpace(strings.Join(lines, "\n"))
}

// plainText removes emphasis, code marks and the addresses of links.
func plainText(line string) string {
	for {
		open := strings.Index(line, "](")
		if open < 0 {
			break
		}
		end := strings.IndexByte(line[open:], ')')
		start := strings.LastIndexByte(line[:open], '[')
		if end < 0 || start < 0 {
			break
		}
		line = line[:start] + line[start+1:open] + line[open+end+1:]
	}
	return strings.NewReplacer("**", "", "`", "", "__", "").Replace(line)
}

// Wrap breaks the lines of a text at a width. It keeps paragraphs, lists and indented lines.
func Wrap(text string, width int) string {
	var out []string
	paragraph := ""
	flush := func() {
		if paragraph != "" {
			out = append(out, paragraph)
			paragraph = ""
		}
	}
	for _, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || strings.HasPrefix(line, "    ") || strings.HasPrefix(trimmed, "- ") || strings.HasPrefix(trimmed, "* ") {
			flush()
			if trimmed == "" || strings.HasPrefix(line, "    ") {
				out = append(out, strings.TrimRight(line, " "))
				continue
			}
		}
		for _, word := range strings.Fields(trimmed) {
			if len(paragraph)+1+len(word) > width {
				flush()
			}
			if paragraph != "" {
				paragraph += " "
			}
			paragraph += word
		}
	}
	flush()
	return strings.Join(out, "\n")
}

// offsetOf returns the offset of a position in a text.
func offsetOf(text string, pos cell.Pos) int {
	off := 0
	for n := pos.Line; n > 1; n-- {
		i := strings.IndexByte(text[off:], '\n')
		if i < 0 {
			return len(text)
		}
		off += i + 1
	}
	return min(off+max(pos.Col-1, 0), len(text))
}

// Above returns the comment lines that are directly above a declaration or statement.
func Above(text string, pos cell.Pos) string {
	lines := strings.Split(text, "\n")
	line := pos.Line - 1
	before := ""
	if line < len(lines) {
		before = strings.TrimSpace(lines[line][:min(max(pos.Col-1, 0), len(lines[line]))])
	}
	if before != "" && before != "type" && before != "var" {
		return ""
	}
	start := line
	for start > 0 {
		above := strings.TrimSpace(lines[start-1])
		if !strings.HasPrefix(above, "//") || strings.HasPrefix(above, "//gonb:") || strings.HasPrefix(above, "//go:") {
			break
		}
		start--
	}
	if start == line {
		return ""
	}
	return strings.Join(lines[start:line], "\n") + "\n"
}

// After returns the comment that follows a source on its last line.
func After(text string, src *cell.Source) string {
	end := offsetOf(text, src.Pos) + len(src.Text)
	if end > len(text) {
		return ""
	}
	rest, _, _ := strings.Cut(text[end:], "\n")
	rest = strings.TrimLeft(rest, " \t;)")
	if strings.HasPrefix(rest, "//") {
		return " " + strings.TrimRight(rest, "\r")
	}
	return ""
}
