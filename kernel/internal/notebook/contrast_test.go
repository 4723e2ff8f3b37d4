package notebook

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

var variable = regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`)

// schemes returns the CSS variables of page.css for the light and the dark scheme.
func schemes(t *testing.T) map[string]map[string]string {
	t.Helper()
	css, err := os.ReadFile("page.css")
	if err != nil {
		t.Fatal(err)
	}
	light, dark, ok := strings.Cut(string(css), "@media")
	if !ok {
		t.Fatal("page.css has one scheme")
	}
	all := map[string]map[string]string{"light": {}, "dark": {}}
	for name, text := range map[string]string{"light": light, "dark": dark[:strings.Index(dark, "* {")]} {
		for _, m := range variable.FindAllStringSubmatch(text, -1) {
			all[name][m[1]] = m[2]
		}
	}
	return all
}

var eightNames = []string{"black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"}

// TestContrastOfTerminalColours: text in each colour has a contrast of at least 4.5 to 1, as
// WCAG requires, on each background that it can have, in both schemes.
func TestContrastOfTerminalColours(t *testing.T) {
	for scheme, vars := range schemes(t) {
		backgrounds := []string{"page", "bad", "code"}
		for _, name := range eightNames {
			backgrounds = append(backgrounds, "on-"+name)
		}
		worst := darkestLight
		if scheme == "dark" {
			worst = lightestDark
		}
		for _, bg := range backgrounds {
			for _, fg := range append([]string{"text", "quiet"}, eightNames...) {
				if vars[fg] == "" || vars[bg] == "" {
					t.Fatalf("%s: no colour for %s or %s", scheme, fg, bg)
				}
				if c := contrast(parseHex(vars[fg]), parseHex(vars[bg])); c < minContrast {
					t.Errorf("%s: %s on %s has contrast %.2f", scheme, fg, bg, c)
				}
			}
			// Other text colours are adapted to the background with the least contrast.
			for _, fg := range []string{"#ff0000", "#ffff00", "#0000ff", "#777777", "#000000", "#ffffff", "#00ff00"} {
				if c := contrast(parseHex(readable(fg, worst)), parseHex(vars[bg])); c < minContrast {
					t.Errorf("%s: %s on %s has contrast %.2f", scheme, fg, bg, c)
				}
			}
		}
		for _, bg := range backgrounds { // links and the page's own text
			if c := contrast(parseHex(vars["link"]), parseHex(vars["page"])); c < minContrast {
				t.Errorf("%s: links on %s have contrast %.2f", scheme, bg, c)
			}
		}
		if c := contrast(parseHex(vars["page"]), parseHex(vars["text"])); c < minContrast {
			t.Errorf("%s: inverse text has contrast %.2f", scheme, c)
		}
	}
}

// TestContrastOfAnyColours: text with any colour and background gets a sufficient contrast.
func TestContrastOfAnyColours(t *testing.T) {
	style := regexp.MustCompile(`background:(#[0-9a-f]{6});color:(#[0-9a-f]{6})`)
	n := 0
	for fg := 0; fg < 256; fg += 5 {
		for bg := 16; bg < 256; bg += 7 {
			for _, text := range []string{fmt.Sprintf("\x1b[38;5;%d;48;5;%dmx", fg, bg), fmt.Sprintf("\x1b[48;5;%dmx", bg), fmt.Sprintf("\x1b[7;38;5;%dmx", bg)} {
				out := ansiHTML(text)
				m := style.FindStringSubmatch(out)
				if m == nil {
					t.Fatalf("%q: %s", text, out)
				}
				n++
				if c := contrast(parseHex(m[1]), parseHex(m[2])); c < minContrast {
					t.Errorf("%s has contrast %.2f", out, c)
				}
			}
		}
	}
	if n == 0 {
		t.Error("nothing was compared")
	}
}

func TestContrast(t *testing.T) {
	if c := contrast(rgb{}, rgb{255, 255, 255}); c < 20.99 || c > 21.01 {
		t.Errorf("black on white has %.3f", c)
	}
	if c := contrast(parseHex("#767676"), parseHex("#ffffff")); c < 4.53 || c > 4.55 {
		t.Errorf("#767676 on white has %.3f", c)
	}
}
