package cell

import "testing"

func TestFormat(t *testing.T) {
	for src, want := range map[string]string{
		"x:=1\nif x>0{\nx++}": "x := 1\nif x > 0 {\n\tx++\n}",
		"import   \"fmt\"\nfunc  f( ) { fmt.Println( 1 ) }\nx:=f":    "import \"fmt\"\n\nfunc f() { fmt.Println(1) }\nx := f",
		"!ls   -l\n%cd  x\nx  := 1 // as it is":                      "!ls   -l\n%cd  x\nx := 1 // as it is",
		"%%bash\nls   -l":                                            "%%bash\nls   -l",
		"type T struct{\na int\nbc string\n}\nvar t=T{1,\"a\"}\nt.a": "type T struct {\n\ta  int\n\tbc string\n}\nvar t = T{1, \"a\"}\nt.a",
	} {
		if got, err := Format(src); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", src, got, err, want)
		}
	}
	if _, err := Format("x := ("); err == nil {
		t.Error("no error")
	}
}
