// SPDX-License-Identifier: Apache-2.0
// door - a STDIO server that is a unix socket: `door.mjs SOCKET` carries bytes both ways
import { connect } from 'node:net';

const socket = connect(process.argv[2]);
process.stdin.pipe(socket).pipe(process.stdout);
