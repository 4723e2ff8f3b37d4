package plotstyle

import (
	"encoding/xml"
	"io"
	"regexp"
	"strings"
	"testing"

	"gonum.org/v1/plot"
)

var (
	validColor   = regexp.MustCompile(`^(none|#[0-9A-Fa-f]{6})$`)
	validOpacity = regexp.MustCompile(`^(0|1|0?\.[0-9]+(e-[0-9]+)?)$`)
)

// checkSVG reads a document to its end: every colour and opacity is one of
// CSS, every number is finite, and the root has a viewBox.
func checkSVG(t *testing.T, svg string) {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(svg))
	colors, boxes := 0, 0
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		start, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		for _, a := range start.Attr {
			if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
				t.Errorf("<%s %s=%q>", start.Name.Local, a.Name.Local, a.Value)
			}
			properties := a.Name.Local + ":" + a.Value
			switch a.Name.Local {
			case "viewBox":
				boxes++
				continue
			case "style":
				properties = a.Value
			case "fill", "stroke", "fill-opacity", "stroke-opacity":
			default:
				continue
			}
			for property := range strings.SplitSeq(properties, ";") {
				name, value, _ := strings.Cut(property, ":")
				name, value = strings.TrimSpace(name), strings.TrimSpace(value)
				switch name {
				case "fill", "stroke":
					if colors++; !validColor.MatchString(value) {
						t.Errorf("<%s> has %s", start.Name.Local, property)
					}
				case "fill-opacity", "stroke-opacity":
					if !validOpacity.MatchString(value) {
						t.Errorf("<%s> has %s", start.Name.Local, property)
					}
				}
			}
		}
	}
	if colors == 0 || boxes != 1 {
		t.Errorf("%d colours, %d view boxes", colors, boxes)
	}
}

func TestColorsOfSVGAreValid(t *testing.T) {
	for name, fill := range plots() {
		t.Run(name, func(t *testing.T) {
			p := plot.New()
			fill(p)
			checkSVG(t, New(p).SVG())
		})
	}
}
