package chart

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	textElement = regexp.MustCompile(`<text x="([^"]*)" y="([^"]*)"[^>]*font-size="([^"]*)"[^>]*textLength="([^"]*)"[^>]*>([^<]*)<`)
	viewBox     = regexp.MustCompile(`viewBox="0 0 ([0-9.]+) ([0-9.]+)"`)
)

type box struct {
	text                     string
	left, top, right, bottom float64
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// No text of a chart is clipped or overlaps another.
func TestTextsHaveRoom(t *testing.T) {
	three := []string{"one at a time", "goroutines", "processes"}
	long := strings.Repeat("a case with a long name ", 4)
	many := make([]string, 12)
	speed := make([]func(float64) float64, len(many))
	for i := range many {
		many[i], speed[i] = fmt.Sprint("case number ", i), amdahl(float64(i)/20)
	}
	for name, svg := range map[string]string{
		"usual":    New(simulate([]int{1, 2, 4}, 2, 7, .01, three, upTo(1), upTo(2), upTo(2))).SVG(),
		"noise":    New(simulate([]int{1, 2, 4}, 2, 7, 3, three, upTo(1), upTo(2), upTo(2))).SVG(),
		"counts":   New(simulate([]int{1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 32, 48, 64, 96, 128}, 64, 7, .01, three, upTo(1), upTo(64), amdahl(.05))).SVG(),
		"long":     New(simulate([]int{1, 2, 3, 4}, 8, 7, .01, []string{long, long + "too"}, upTo(2), amdahl(.1))).SVG(),
		"many":     New(simulate([]int{1, 2, 4, 8}, 8, 7, .01, many, speed...)).SVG(),
		"one":      New(simulate([]int{1}, 1, 1, 0, []string{""}, upTo(1))).SVG(),
		"slow":     New(simulate([]int{1, 1000}, 2, 7, 0, []string{"x"}, func(float64) float64 { return 1e-6 })).SVG(),
		"enormous": New(simulate([]int{1, 1 << 20}, 1<<20, 7, 0, []string{"x"}, upTo(1<<20))).SVG(),
	} {
		t.Run(name, func(t *testing.T) {
			size := viewBox.FindStringSubmatch(svg)
			if size == nil {
				t.Fatal("no viewBox")
			}
			width, height := number(t, size[1]), number(t, size[2])
			var boxes []box
			for _, m := range textElement.FindAllStringSubmatch(svg, -1) {
				x, y, font := number(t, m[1]), number(t, m[2]), number(t, m[3])
				b := box{m[5], x, y - 0.72*font, x + number(t, m[4]), y}
				if b.left < 0 || b.top < 0 || b.right > width || b.bottom > height {
					t.Errorf("%q is clipped: %+v in %g by %g", b.text, b, width, height)
				}
				for _, o := range boxes {
					if b.left < o.right && o.left < b.right && b.top < o.bottom && o.top < b.bottom {
						t.Errorf("%q is over %q", b.text, o.text)
					}
				}
				boxes = append(boxes, b)
			}
			if len(boxes) < 8 || len(boxes) != strings.Count(svg, "<text") {
				t.Errorf("%d texts", len(boxes))
			}
		})
	}
}
