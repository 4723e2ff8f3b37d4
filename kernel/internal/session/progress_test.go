package session

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/perijove/perijove"
	"github.com/perijove/perijove/kernel/internal/image"
	"github.com/perijove/perijove/kernel/internal/output"
)

// A displaySink calls f for each display.
type displaySink struct {
	*transcript
	f func(output.Display)
}

func (s displaySink) Display(d output.Display) {
	s.transcript.Display(d)
	s.f(d)
}

// TestProgress imports a package that takes long to compile: a line shows the progress. At the end the line disappears,
// or becomes empty if the cell has other output.
func TestProgress(t *testing.T) {
	img, err := image.Open(t.Context(), image.Options{Source: perijove.Source})
	if err != nil {
		t.Fatal(err)
	}
	// The go command begins to compile, and continues once the line was seen.
	dir := t.TempDir()
	slow := *img
	slow.Toolchain.Go = filepath.Join(dir, "go")
	writeFile(t, slow.Toolchain.Go, []byte(`#!/bin/sh
case " $* " in *" -v "*)
	seen="`+dir+`/$(basename "$PWD")"
	echo go: downloading example.com/other v1.0.0 >&2
	while ! test -e "$seen-download"; do sleep 0.1; done
	echo example.com/big/part >&2
	while ! test -e "$seen"; do sleep 0.1; done ;;
esac
exec "`+img.Toolchain.Go+`" "$@"
`))
	if err := os.Chmod(slow.Toolchain.Go, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, before, end string }{
		{"alone", "", "[clear]\n[result text/plain]\n3\n"},
		{"after", "%pwd\n", "[update text/plain]\n\n[result text/plain]\n3\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), test.name)
			writeFile(t, filepath.Join(folder, "go.mod"), []byte("module example.com/big\n\ngo 1.26\n"))
			writeFile(t, filepath.Join(folder, "part/part.go"), []byte("package part\n\n// "+folder+"\nconst Two = 2\n"))
			writeFile(t, filepath.Join(folder, "all/all.go"), []byte("package all\n\nimport \"example.com/big/part\"\n\nconst Three = part.Two + 1\n"))
			s, err := New(Config{Image: &slow, Dir: folder, CacheDir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			tr := &transcript{}
			var lines []string
			s.Execute(t.Context(), output.Request{Code: test.before + "import \"example.com/big/all\"\nall.Three", StoreHistory: true}, displaySink{tr, func(d output.Display) {
				text, _ := d.Data["text/plain"].(string)
				lines = append(lines, text)
				if strings.HasPrefix(text, "downloading example.com/other v1.0.0, ") {
					writeFile(t, filepath.Join(dir, test.name+"-download"), nil)
				}
				if strings.Contains(text, " of ") {
					writeFile(t, filepath.Join(dir, test.name), nil)
				}
			}})
			compiling := slices.ContainsFunc(lines, func(line string) bool {
				return strings.HasPrefix(line, "compiling example.com/big/part, 1 of 2 packages, ")
			})
			mixed := slices.ContainsFunc(lines, func(line string) bool {
				return strings.Contains(line, "compiling downloading") || strings.Contains(line, "go:")
			})
			if !compiling || mixed || !strings.HasSuffix(tr.text(), test.end) {
				t.Errorf("the lines are %q, and in the end there is\n%s", lines, tr.text())
			}
		})
	}
}
