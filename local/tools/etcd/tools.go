//go:build tools

// Package tools pins what "go build" makes of this module.
package tools

import (
	_ "go.etcd.io/etcd/server/v3"
)
