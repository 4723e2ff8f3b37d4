package program

import (
	"testing"

	"github.com/perijove/perijove/kernel/internal/program/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m) }

func newProgram(t testing.TB, edit ...func(*Config)) *Program {
	t.Helper()
	std := programtest.NewStd(t)
	cfg := Config{Compile: std.Compile, Dir: t.TempDir(), Importer: std, KeepSources: true}
	for _, f := range edit {
		f(&cfg)
	}
	return New(cfg)
}
