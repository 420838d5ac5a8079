"""`newsletter migrate`: brings the database to this version."""

import os

from newsletter.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from newsletter.cli.output import print_json
from newsletter.config import load_config
from newsletter.storage.database import Database
from newsletter.workflows.opening import make_data_folder


def migrate(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Bring the database to this version. SQLite needs no asking, a server's database does."""
    bootstrap = load_config(config, os.environ).bootstrap
    table = bootstrap.database
    make_data_folder(bootstrap.data_dir)
    database = Database.open(table.url, durability=table.durability)
    try:
        pending = database.pending_migrations()
        database.migrate()
    finally:
        database.close()
    if json:
        print_json({"migrated": pending})
    else:
        print("the database was brought to this version" if pending else "nothing to do")
