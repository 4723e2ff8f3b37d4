//go:build !linux

package mp

import "os"

func mapLedger(*os.File) ledger { return nil }

func (l ledger) unmap() {}

func fatalLine([]byte) string { return "" }
