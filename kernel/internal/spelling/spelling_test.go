package spelling

import "testing"

func TestClosest(t *testing.T) {
	names := []string{"Print", "Printf", "Println", "Sprint", "contries", "x1"}
	for name, want := range map[string]string{
		"println": "Println", "Pritnln": "Println", "Prnt": "Print", "countries": "contries", "Scan": "", "x2": "", "Println": "", "": "",
	} {
		if got := Closest(name, names); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"abc", "acb", 1}, {"abc", "abd", 1}, {"Größe", "Grösse", 2}, {"ab", "ba", 1}} {
		if got := Distance(test.a, test.b); got != test.want {
			t.Errorf("%q to %q: %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
