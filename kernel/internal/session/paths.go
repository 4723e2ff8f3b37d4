package session

import (
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/output"
)

// maxPaths is the maximum number of files that a completion lists.
const maxPaths = 500

// pathStart returns the offset at which the file path before a cursor begins. It reports false
// unless the cursor is in an argument of a shell command or directive, or in a string.
func pathStart(code string, cursor int) (int, bool) {
	line := code[strings.LastIndexByte(code[:cursor], '\n')+1 : cursor]
	if strings.HasPrefix(line, "!") || strings.HasPrefix(line, "%") && !cell.Measures(line) {
		i := strings.LastIndexAny(line, " \t\"'=")
		return cursor - len(line) + max(i, 0) + 1, i > 0 || strings.HasPrefix(line, "!")
	}
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(code))
	s.Init(file, []byte(code), func(token.Position, string) {}, 0)
	for {
		pos, tok, lit := s.Scan()
		off := file.Offset(pos)
		if tok == token.EOF || off >= cursor {
			return 0, false
		}
		if tok == token.STRING && cursor <= off+len(lit) && !(cursor == off+len(lit) && isClosed(lit)) {
			return off + 1, true
		}
	}
}

// isClosed reports whether a string literal has its closing quotation mark.
func isClosed(lit string) bool { return len(lit) > 1 && lit[len(lit)-1] == lit[0] }

// completePath lists the files whose paths begin with prefix, which begins at byte start
// of the code.
func (s *Session) completePath(prefix string, start int) output.Completion {
	dir, base := filepath.Split(prefix)
	out := output.Completion{Start: start + len(dir), End: start + len(prefix)}
	folder := dir
	if home, err := os.UserHomeDir(); err == nil && strings.HasPrefix(dir, "~/") {
		folder = filepath.Join(home, dir[2:])
	}
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(s.completionDir(), folder)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return out
	}
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, base) || base == "" && strings.HasPrefix(name, ".") || len(out.Matches) == maxPaths {
			continue
		}
		if st, err := os.Stat(filepath.Join(folder, name)); err == nil && st.IsDir() {
			name += "/"
		}
		out.Matches = append(out.Matches, output.Match{Text: name, Type: "path"})
	}
	return out
}

// completionDir returns the folder in which cells run. It may be called at any time.
func (s *Session) completionDir() string {
	if dir := s.cellDir.Load(); dir != nil {
		return *dir
	}
	return s.startDir()
}
