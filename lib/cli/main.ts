#!/usr/bin/env node
process.stdout.write('secure-node\n')
