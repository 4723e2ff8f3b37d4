package display

import (
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"regexp"
	"strings"
)

const svgNamespace = "http://www.w3.org/2000/svg"

// standaloneSVG checks that the root of s is an svg element and adds its namespace
// if that is missing. size is such as ", 400 × 300", or empty if the root has none.
func standaloneSVG(s string) (svg, size string, err error) {
	dec := xml.NewDecoder(strings.NewReader(s))
	dec.Strict = true
	var root *xml.StartElement
	var after int64 // offset just after the root's start tag
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", "", fmt.Errorf("display: cannot show the text as SVG: it is not well-formed XML: %w", err)
		}
		if start, ok := tok.(xml.StartElement); ok && root == nil {
			c := start.Copy()
			root, after = &c, dec.InputOffset()
		}
	}
	if root == nil || root.Name.Local != "svg" {
		return "", "", errors.New("display: cannot show the text as SVG: the root element is not <svg>")
	}
	if root.Name.Space == "" {
		at := strings.LastIndex(s[:after], "<svg") + len("<svg")
		s = s[:at] + ` xmlns="` + svgNamespace + `"` + s[at:]
	}
	return s, svgSize(root), nil
}

func svgSize(root *xml.StartElement) string {
	var w, h string
	for _, a := range root.Attr {
		switch a.Name.Local {
		case "width":
			w = a.Value
		case "height":
			h = a.Value
		}
	}
	if w == "" || h == "" {
		return ""
	}
	return ", " + w + " × " + h
}

var (
	hiddenHTML = regexp.MustCompile(`(?is)<!--.*?-->|<(script|style)\b.*?</(script|style)\s*>`)
	blockHTML  = regexp.MustCompile(`(?i)<(br|/p|/div|/h[1-6]|/li|/tr|/table|/pre|/caption)\b[^>]*>`)
	entryHTML  = regexp.MustCompile(`(?i)</t[dh]\s*>`)
	anyHTML    = regexp.MustCompile(`<[/!?a-zA-Z][^>]*>`)
	blankLines = regexp.MustCompile(`\n\s*\n+`)
)

// textOfHTML returns the text of an HTML fragment for a terminal, one line per block.
// It removes tags with regular expressions and is not a full parser.
func textOfHTML(s string) string {
	s = hiddenHTML.ReplaceAllString(s, "")
	s = blockHTML.ReplaceAllString(s, "\n")
	s = entryHTML.ReplaceAllString(s, "\t")
	s = html.UnescapeString(anyHTML.ReplaceAllString(s, ""))
	s = strings.TrimSpace(blankLines.ReplaceAllString(s, "\n"))
	if s == "" {
		return "[HTML]"
	}
	return s
}
