"""One submission, bytes in and a result out: engine, warm server, judge, session, verdict.

Runs in trusted processes of its own; what it holds of a student's is plain values and proxies.
May import `rpc`, `sandbox`, `lab`, `limits`, `results` and `checks`.
"""
