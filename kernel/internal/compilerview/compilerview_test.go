package compilerview

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const listing = `main.sum STEXT size=126 args=0x18 locals=0x18 funcid=0x0 align=0x0
	0x0000 00000 (Cell [1]:1[a.go:3])	TEXT	main.sum(SB), ABIInternal, $24-24
	0x0000 00000 (Cell [1]:1[a.go:3])	CMPQ	SP, 16(R14)
	0x0004 00004 (Cell [1]:1[a.go:3])	PCDATA	$0, $-2
	0x000e 00014 (Cell [1]:3[a.go:5])	MOVQ	BX, main.list+40(SP)
	0x0010 00016 (/usr/local/go/src/math/abs.go:13)	ANDQ	AX, BX
	0x0018 00024 (Cell [1]:2[a.go:4])	LEAQ	type:int(SB), AX
	0x0020 00032 (Cell [1]:3)	CALL	main.addʹ2(SB)
	0x0000 49 3b 66 10 76 4e 55 48 89 e5 48 83 ec 10 48 89  I;f.vNUH..H...H.
	rel 27+4 t=R_PCREL type:int+0
main.sum.func1 STEXT nosplit size=1 args=0x0 locals=0x0
	0x0000 00000 (Cell [1]:4)	RET
main.(*stack).push STEXT size=2
	0x0000 00000 (Cell [1]:5)	RET
type:int SRODATA dupok size=8
	0x0000 00 00
`

func TestAssembly(t *testing.T) {
	list := ParseAssembly(listing)
	var names []string
	for _, f := range list {
		names = append(names, f.Name)
	}
	if !slices.Equal(names, []string{"sum", "sum.func1", "(*stack).push"}) {
		t.Fatalf("functions %q", names)
	}
	want := `sum: 126 bytes, stack frame of 24 bytes
Cell [1] line 1: line 1
    0000  CMPQ SP, 16(R14)
Cell [1] line 2: line 2
    0018  LEAQ type:int(SB), AX
Cell [1] line 3: line 3
    000e  MOVQ BX, main.list+40(SP)
    0020  CALL main.add(SB)
math/abs.go line 13: 
    0010  ANDQ AX, BX
`
	source := func(file string, line int) string {
		if file == "Cell [1]" {
			return "line " + string(rune('0'+line))
		}
		return ""
	}
	if got := list[0].Assembly(source); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, test := range []struct {
		name string
		want []bool
	}{{"sum", []bool{true, true, false}}, {"su", []bool{false, false, false}}, {"stack.push", []bool{false, false, true}}, {"(*stack).push", []bool{false, false, true}}} {
		for i, f := range list {
			if f.Matches(test.name) != test.want[i] {
				t.Errorf("%s matches %s: %v", f.Name, test.name, !test.want[i])
			}
		}
	}
}

func TestLog(t *testing.T) {
	dir := t.TempDir()
	text := "package main\n\n//line Cell [2]:5:1\nfunc f(list []int) int {\n\treturn list[3]\n}\n"
	log := `{"version":0,"package":"main","file":"f.go"}
{"range":{"start":{"line":5,"character":13}},"code":"isInBounds","message":""}
{"range":{"start":{"line":4,"character":6}},"code":"canInlineFunction","message":"cost: 4"}
{"range":{"start":{"line":4,"character":6}},"code":"canInlineFunction","message":"cost: 4"}
{"range":{"start":{"line":4,"character":8}},"code":"leak","message":"parameter listʹ2 leaks","relatedInformation":[{"message":"escflow:    flow: a = b"},{"message":"inlineLoc"}]}
{"range":{"start":{"line":4,"character":8}},"code":"unknown","message":"x"}
{"range":{"start":{"line":4,"character":8}},"code":"escape","message":""}
`
	if err := os.WriteFile(filepath.Join(dir, "f.json"), []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := ReadLog(dir, map[string]string{"f.go": text})
	if err != nil {
		t.Fatal(err)
	}
	list = Sort(append(list, ParseInlined("Cell [2]:6:9[f.go:5:9]: inlining call to gʹ3\nCell [2]:1: can inline f\n")...))
	got, page := Decisions(list, func(string, int) string { return "<source>" }, true)
	want := `Cell [2] line 5: <source>
    inlining     can be inlined
    escape       parameter list leaks
                 flow: a = b
Cell [2] line 6: <source>
    call         this call of g is inlined
    bounds check the index is checked`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if !strings.Contains(page, "&lt;source&gt;") || !strings.Contains(page, `title="flow: a = b"`) {
		t.Errorf("the page: %s", page)
	}
	if err := os.WriteFile(filepath.Join(dir, "g.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadLog(dir, nil); err == nil {
		t.Error("a log that is cut off is accepted")
	}
}
