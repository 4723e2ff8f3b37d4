package modules

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Importcfg returns the name of an importcfg file with the image's packages and
// those found by Archive.
func (m *Modules) Importcfg(paths []string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.archives) == 0 {
		return m.img.Importcfg(paths)
	}
	b, err := os.ReadFile(m.img.ImportcfgFile())
	if err != nil {
		return "", err
	}
	var cfg bytes.Buffer
	for line := range bytes.Lines(b) {
		path, _, _ := strings.Cut(strings.TrimPrefix(string(line), "packagefile "), "=")
		if _, other := m.archives[path]; !other {
			cfg.Write(line)
		}
	}
	cfg.WriteString(m.importcfgLines())
	return m.writeImportcfg(cfg.Bytes())
}

// ExtraImportcfg returns the name of an importcfg file with the packages that the
// image does not have, for the worker process, or "" if there are none.
func (m *Modules) ExtraImportcfg() (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.archives) == 0 {
		return "", nil
	}
	return m.writeImportcfg([]byte(m.importcfgLines()))
}

func (m *Modules) importcfgLines() string {
	var b strings.Builder
	for _, p := range sortedKeys(m.archives) {
		fmt.Fprintf(&b, "packagefile %s=%s\n", p, m.archives[p])
	}
	return b.String()
}

func (m *Modules) writeImportcfg(b []byte) (string, error) {
	sum := sha256.Sum256(b)
	key := hex.EncodeToString(sum[:8])
	if f := m.configs[key]; f != "" {
		return f, nil
	}
	file := filepath.Join(m.scratch, "importcfg-"+key)
	if err := os.WriteFile(file, b, 0o644); err != nil {
		return "", err
	}
	m.configs[key] = file
	return file, nil
}
