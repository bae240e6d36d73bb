// A vendor's dashboard figures as an Express application is usually built: express-session in Redis (connect-redis), a
// limit counted in Redis (rate-limit-redis), answers cached in Redis for five minutes and removed when the vendor
// changes something, node-postgres under it, one process per worker. It reads the tables of a Vendorscope database, so
// that both answer with the same data.
//
//   DATABASE_URL, REDIS_URL, PORT, WORKERS (2)
//
// What it leaves out, it is faster for: passwords (POST /login takes an id at its word), logging, compression, Helmet.
import cluster from 'node:cluster';
import express from 'express';
import session from 'express-session';
import RedisStore from 'connect-redis';
import { rateLimit } from 'express-rate-limit';
import { RedisStore as LimitStore } from 'rate-limit-redis';
import { Redis } from 'ioredis';
import pg from 'pg';
import { loadSnapshot } from './snapshot.js';

const { DATABASE_URL, REDIS_URL, PORT, WORKERS = '2' } = process.env;
const FIVE_MINUTES = 300;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

function application() {
    const redis = new Redis(REDIS_URL);
    const database = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });
    const app = express();
    app.disable('x-powered-by');
    app.use(express.json());
    app.use(
        session({
            store: new RedisStore({ client: redis, prefix: 'peer:sess:', disableTouch: true }),
            secret: 'a secret of at least thirty-two characters',
            resave: false,
            saveUninitialized: false,
            cookie: { httpOnly: true, sameSite: 'lax', maxAge: 24 * 3600 * 1000 },
        }),
    );

    app.post('/login', (request, response) => {
        request.session.user = { vendorId: String(request.body.vendorId), role: 'vendor' };
        response.json({ user: request.session.user });
    });

    const requireVendor = (request, response, next) =>
        request.session.user?.role === 'vendor' ? next() : response.status(401).json({ error: 'Not authenticated' });
    const limit = rateLimit({
        windowMs: 60_000,
        limit: 1_000_000_000,
        standardHeaders: 'draft-8',
        legacyHeaders: false,
        keyGenerator: (request) => request.session.user.vendorId,
        store: new LimitStore({ prefix: 'peer:limit:', sendCommand: (...words) => redis.call(...words) }),
    });

    app.get('/api/vendor/analytics/snapshot', requireVendor, limit, async (request, response) => {
        const { vendorId } = request.session.user;
        const { dateFrom, dateTo } = request.query;
        if (!DAY.test(dateFrom) || !DAY.test(dateTo) || dateFrom > dateTo) {
            return response.status(400).json({ error: 'dateFrom and dateTo must be days, in order' });
        }
        const key = `peer:analytics:${vendorId}:snapshot:${dateFrom}:${dateTo}`;
        const cached = await redis.get(key);
        if (cached !== null) {
            response.set('X-Cache', 'HIT');
            return response.type('json').send(cached);
        }
        const snapshot = await loadSnapshot(database, vendorId, dateFrom, dateTo);
        if (snapshot === null) return response.status(404).json({ error: 'Not found' });
        const body = JSON.stringify(snapshot);
        await redis.set(key, body, 'EX', FIVE_MINUTES);
        response.set('X-Cache', 'MISS').type('json').send(body);
    });

    app.listen(Number(PORT), '127.0.0.1');
}

if (cluster.isPrimary) {
    for (let worker = 0; worker < Number(WORKERS); worker++) cluster.fork();
    const stop = () => process.exit(0);
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
} else {
    process.on('disconnect', () => process.exit(0));
    application();
}
