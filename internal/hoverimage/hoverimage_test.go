package hoverimage

import (
	"strings"
	"testing"
)

func TestHTML(t *testing.T) {
	got := HTML([]byte("hi"), 200, 50, `a "b"`, []Area{{20, 5, 1, 25, "x < y"}})
	for _, want := range []string{
		`alt="a &#34;b&#34;" width="200"`, `src="data:image/png;base64,aGk="`,
		`<i title="x &lt; y" style="position:absolute;left:10.00%;top:10.00%;width:0.50%;height:50.00%"></i>`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if strings.Contains(got, "<svg") {
		t.Error("a front end would remove SVG")
	}
}
