package link

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/goobj"
)

// alignedProgram returns the source of a program with symbols of many kinds and sizes, from
// assembly and from the compiler.
func alignedProgram() (goSource, assembly string) {
	var g, s strings.Builder
	g.WriteString("package main\n\nimport \"fmt\"\n\nfunc touch()\nfunc wide()\n\ntype T struct{ a, b string }\n\nfunc (t *T) String() string { return t.a + t.b }\n\nfunc main() {\n\ttouch()\n\twide()\n\tfmt.Println(&T{\"x\", \"y\"})\n}\n\n")
	s.WriteString("#include \"textflag.h\"\n\nTEXT ·touch(SB), NOSPLIT, $0-0\n")
	var data strings.Builder
	for size := 1; size <= 80; size++ {
		for _, kind := range []struct {
			name, flags string
			filled      bool
		}{{"readonly", "RODATA|NOPTR", true}, {"plain", "NOPTR", true}, {"zeros", "NOPTR", false}} {
			fmt.Fprintf(&s, "\tLEAQ ·%s%d(SB), AX\n", kind.name, size)
			if kind.filled {
				fmt.Fprintf(&data, "DATA ·%s%d+0(SB)/1, $%d\n", kind.name, size, size)
			}
			fmt.Fprintf(&data, "GLOBL ·%s%d(SB), %s, $%d\n", kind.name, size, kind.flags, size)
		}
		fmt.Fprintf(&g, "var bytes%d [%d]byte\n\nvar filled%d = [%d]byte{1}\n\nvar pointers%d = [%d]*int{new(int)}\n\n", size, size, size, size, size, size)
		fmt.Fprintf(&g, "func init() { fmt.Sprint(&bytes%d, &filled%d, &pointers%d) }\n\n", size, size, size)
	}
	s.WriteString("\tRET\n\nTEXT ·wide(SB), NOSPLIT, $0-0\n\tNOP\n\tPCALIGN $64\n\tRET\n\n")
	return g.String(), s.String() + data.String()
}

// TestAlignment compares function alignment with cmd/link: each symbol of a linked program
// must be at a multiple of its alignment. Of two neighbouring symbols of package main, the second must be at the first
// multiple of its alignment after the end of the first symbol.
func TestAlignment(t *testing.T) {
	dir := t.TempDir()
	goSource, assembly := alignedProgram()
	for name, text := range map[string]string{"go.mod": "module example.com/aligned\n\ngo 1.26\n", "main.go": goSource, "data_amd64.s": assembly} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go %v: %v", args, err)
		}
		return string(out)
	}
	run("build", "-o", "prog", ".")
	ours := map[string]uintptr{} // alignments by the name in the symbol table
	for _, file := range strings.Fields(run("list", "-export", "-deps", "-f", "{{.Export}}", ".")) {
		addAlignments(t, file, ours)
	}
	checkAlignments(t, filepath.Join(dir, "prog"), ours)
}

func addAlignments(t *testing.T, file string, ours map[string]uintptr) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	objs, err := goobj.ParseArchive(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objs {
		for i := range o.NumDef() {
			s := o.Sym(i)
			if s.Name() == "" || s.ABI() == goobj.ABIStatic || s.Local() || o.Hashed(i) {
				continue
			}
			for _, name := range []string{s.Name(), s.Name() + ".abi0"} {
				if strings.HasSuffix(name, ".abi0") == (s.Kind().IsText() && s.ABI() == goobj.ABI0) || !s.Kind().IsText() {
					ours[name] = max(ours[name], alignment(s))
				}
			}
		}
	}
}

func checkAlignments(t *testing.T, prog string, ours map[string]uintptr) {
	t.Helper()
	f, err := elf.Open(prog)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	syms, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	syms = slices.DeleteFunc(syms, func(s elf.Symbol) bool { return s.Value == 0 || s.Size == 0 })
	slices.SortFunc(syms, func(a, b elf.Symbol) int { return int(int64(a.Value) - int64(b.Value)) })
	found, pairs, exact := 0, 0, 0
	for i, s := range syms {
		align := uint64(ours[s.Name])
		if align == 0 {
			continue
		}
		found++
		if s.Value%align != 0 {
			t.Errorf("%s, of %d bytes, is at %#x: we align it to %d", s.Name, s.Size, s.Value, align)
		}
		if i == 0 || syms[i-1].Section != s.Section || !strings.HasPrefix(s.Name, "main.") || !strings.HasPrefix(syms[i-1].Name, "main.") {
			continue
		}
		end := syms[i-1].Value + syms[i-1].Size
		pairs++
		switch next := (end + align - 1) &^ (align - 1); {
		case next == s.Value:
			exact++
		case next > s.Value:
			t.Errorf("%s is at %#x, right behind %s, which ends at %#x: we align it to %d", s.Name, s.Value, syms[i-1].Name, end, align)
		}
	}
	t.Logf("%d symbols, %d pairs of neighbours, %d of them where expected", found, pairs, exact)
	if found < 2000 || pairs < 400 || exact*100 < pairs*97 {
		t.Errorf("%d symbols, %d pairs of neighbours, only %d of them where expected", found, pairs, exact)
	}
}
